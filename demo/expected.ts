/** `service.name` of the game server and of the two services before it. */
export const SERVICES = { game: "arena-server", matchmaker: "matchmaker", login: "login" } as const;

export interface ExpectedSpan {
  readonly name: string;
  readonly service: string;
  /** Name of the parent; undefined for the root of a trace. */
  readonly parent: string | undefined;
  /** Name of a span that a link must point at. */
  readonly link?: string;
  /** Keys that must have a value. */
  readonly attributes?: readonly string[];
  /** May be missing: it is told after the trees are drawn. */
  readonly optional?: true;
}

const { game, matchmaker, login } = SERVICES;

const BOOT: readonly ExpectedSpan[] = [
  { name: "gameserver.boot", service: game, parent: undefined },
  { name: "gameserver.boot.load", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.prepare", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.listen", service: game, parent: "gameserver.boot" },
  { name: "agones.connect", service: game, parent: "gameserver.boot" },
  { name: "agones.ready", service: game, parent: "gameserver.boot" },
  { name: "agones.wait_for_ready", service: game, parent: "gameserver.boot" },
];

const SESSION: readonly ExpectedSpan[] = [
  { name: "session.started", service: login, parent: undefined, attributes: ["session.id", "player.id"] },
  { name: "session.phase.login", service: login, parent: "session.started" },
  {
    name: "session.phase.matchmaking",
    service: login,
    parent: "session.started",
    attributes: ["matchmaking.wait_seconds", "lobby.id"],
  },
];

const ALLOCATION: readonly ExpectedSpan[] = [
  {
    name: "provision.allocate_server",
    service: matchmaker,
    parent: "session.started",
    attributes: ["server.address", "server.port"],
  },
  {
    name: "provision.agones_allocate",
    service: matchmaker,
    parent: "provision.allocate_server",
    attributes: ["agones.server_name"],
  },
  { name: "gameserver.allocated", service: game, parent: "provision.agones_allocate", link: "gameserver.boot" },
  { name: "gameserver.map_load", service: game, parent: "gameserver.allocated" },
];

const JOIN: readonly ExpectedSpan[] = [
  { name: "matchmake arena", service: game, parent: "session.started" },
  { name: "room.auth arena", service: game, parent: "matchmake arena" },
  { name: "room.create arena", service: game, parent: "matchmake arena" },
  { name: "room.join arena", service: game, parent: "matchmake arena" },
  { name: "room.on_join arena", service: game, parent: "room.join arena" },
];

const STAY: readonly ExpectedSpan[] = [
  { name: "session.phase.in_game", service: game, parent: "session.started" },
  { name: "session.lifecycle", service: game, parent: "session.started", attributes: ["session.id", "player.id"] },
  { name: "room.on_leave arena", service: game, parent: "session.started", link: "room.join arena" },
  { name: "room.on_dispose arena", service: game, parent: undefined, link: "room.create arena", optional: true },
];

/** One server's boot and one player's way. Each name stands for exactly one span, and comes after its parent. */
export const STORY: readonly ExpectedSpan[] = [...BOOT, ...SESSION, ...ALLOCATION, ...JOIN, ...STAY];
