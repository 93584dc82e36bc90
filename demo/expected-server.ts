import { SERVICES, type ExpectedSpan } from "./expected-span.ts";

const { game, lobby, matchmaker } = SERVICES;

export const LOBBY_BOOT: readonly ExpectedSpan[] = [
  { name: "gameserver.boot", as: "the lobby's boot", service: lobby, parent: undefined },
  { name: "gameserver.boot.load", service: lobby, parent: "the lobby's boot" },
  { name: "gameserver.boot.prepare", service: lobby, parent: "the lobby's boot" },
  { name: "gameserver.boot.listen", service: lobby, parent: "the lobby's boot" },
];

/** Without an orchestrator it ends when the server listens. */
export const BOOT_ALONE: readonly ExpectedSpan[] = [
  { name: "gameserver.boot", service: game, parent: undefined },
  { name: "gameserver.boot.load", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.prepare", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.listen", service: game, parent: "gameserver.boot" },
];

export const BOOT: readonly ExpectedSpan[] = [
  ...BOOT_ALONE,
  { name: "agones.connect", service: game, parent: "gameserver.boot" },
  { name: "agones.ready", service: game, parent: "gameserver.boot" },
  { name: "agones.wait_for_ready", service: game, parent: "gameserver.boot" },
];

/** Begun while somebody waited for a server. */
export function duringRequest(boot: readonly ExpectedSpan[]): readonly ExpectedSpan[] {
  return boot.map((span) => (span.parent === undefined ? { ...span, during: "provision.allocate_server" } : span));
}

type Start = "warm" | "cold" | "reused";

/** The call that gets a server. */
interface Call {
  readonly name: string;
  /** Key of what it says of the server. */
  readonly server: string;
}

const AGONES: Call = { name: "provision.agones_allocate", server: "agones.server_name" };

/** The matchmaker's asking. */
export function request(start: Start, { name, server }: Call = AGONES): readonly ExpectedSpan[] {
  return [
    {
      name: "provision.allocate_server",
      service: matchmaker,
      parent: "session.started",
      attributes: ["server.address", "server.port"],
      values: { "gameserver.start": start },
    },
    ...(start === "cold" ? [{ ...REFUSED, name }, WAIT] : []),
    {
      name,
      service: matchmaker,
      parent: "provision.allocate_server",
      attributes: [server],
      values: { "error.type": null },
    },
  ];
}

/** What the server that was given does of it. */
export function allocation(start: Start, { name: parent }: Pick<Call, "name"> = AGONES): readonly ExpectedSpan[] {
  return [
    {
      name: "gameserver.allocated",
      service: game,
      parent,
      link: "gameserver.boot",
      values: { "gameserver.start": start },
    },
    { name: "gameserver.map_load", service: game, parent: "gameserver.allocated" },
  ];
}

const REFUSED: Omit<ExpectedSpan, "name"> = {
  as: "a refused allocation",
  service: matchmaker,
  parent: "provision.allocate_server",
  values: { "error.type": "unallocated" },
  many: true,
};

const WAIT: ExpectedSpan = {
  name: "provision.wait_for_ready",
  service: matchmaker,
  parent: "provision.allocate_server",
  attributes: ["provision.poll_count", "provision.wait_ms"],
};
