/** `service.name` of the game server and of the two services before it. */
export const SERVICES = { game: "arena-server", matchmaker: "matchmaker", login: "login" } as const;

export interface ExpectedSpan {
  readonly name: string;
  /** What `parent` and `link` call it by. @default its name */
  readonly as?: string;
  readonly service: string;
  /** The parent; undefined for the root of a trace. */
  readonly parent: string | undefined;
  /** The span that a link must point at. */
  readonly link?: string;
  /** Keys that must have a value. */
  readonly attributes?: readonly string[];
  /** Keys that must have this value; null: none. */
  readonly values?: Readonly<Record<string, string | null>>;
  /** May be missing: it is told after the trees are drawn. */
  readonly optional?: true;
}

/** What one player's story consists of. Spans of one name in the order in which they start, each after its parent. */
export interface Part {
  /** `player.id` */
  readonly player: string;
  readonly story: readonly ExpectedSpan[];
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

const SESSION: readonly ExpectedSpan[] = [
  { name: "session.started", service: login, parent: undefined, attributes: ["session.id", "player.id"] },
  { name: "session.phase.login", service: login, parent: "session.started", attributes: ["player.id"] },
  {
    name: "session.phase.matchmaking",
    service: login,
    parent: "session.started",
    attributes: ["player.id", "matchmaking.wait_seconds", "lobby.id"],
  },
];

const CREATE: ExpectedSpan = { name: "room.create arena", service: game, parent: "matchmake arena" };

const JOIN: readonly ExpectedSpan[] = [
  { name: "matchmake arena", service: game, parent: "session.started", values: { "error.type": null } },
  { name: "room.auth arena", service: game, parent: "matchmake arena" },
  { name: "room.join arena", service: game, parent: "matchmake arena", values: { "colyseus.join.kind": "new" } },
  { name: "room.on_join arena", service: game, parent: "room.join arena" },
];

const DROP: ExpectedSpan = {
  name: "room.on_drop arena",
  service: game,
  parent: "session.started",
  link: "room.join arena",
};

const RETURN: readonly ExpectedSpan[] = [
  {
    name: "room.join arena",
    as: "the return",
    service: game,
    parent: "session.started",
    link: "room.join arena",
    values: { "colyseus.join.kind": "reconnect" },
  },
  { name: "room.on_reconnect arena", service: game, parent: "session.started", link: "the return" },
];

const DISPOSAL: ExpectedSpan = {
  name: "room.on_dispose arena",
  service: game,
  parent: undefined,
  link: "room.create arena",
  optional: true,
};

function phase(name: "in_game" | "reconnecting", endedBy: string): ExpectedSpan {
  const values = { "phase.ended_by": endedBy };
  return { name: `session.phase.${name}`, service: game, parent: "session.started", values };
}

function end(reason: string, type: string, join = "room.join arena"): readonly ExpectedSpan[] {
  const values = { "session.end_reason": reason, "session.end_type": type };
  const attributes = ["session.id", "player.id"];
  return [
    { name: "room.on_leave arena", service: game, parent: "session.started", link: join },
    { name: "session.lifecycle", service: game, parent: "session.started", attributes, values },
  ];
}

function refusal(name: string, parent: string, type: string): ExpectedSpan {
  return { name, service: game, parent, values: { "error.type": type } };
}

const ANN = [
  ...BOOT,
  ...SESSION,
  ...ALLOCATION,
  ...JOIN,
  CREATE,
  phase("in_game", "drop"),
  DROP,
  phase("reconnecting", "return"),
  ...RETURN,
  phase("in_game", "leave"),
  ...end("client_quit", "graceful", "the return"),
  DISPOSAL,
];
const BOB = [...SESSION, ...JOIN, phase("in_game", "leave"), ...end("client_quit", "graceful")];
const KIM = [...SESSION, ...JOIN, phase("in_game", "disconnect"), DROP, ...end("kicked", "enforcement")];
const NED = [
  ...SESSION,
  ...JOIN,
  phase("in_game", "drop"),
  DROP,
  phase("reconnecting", "disconnect"),
  ...end("timeout", "connection_failure"),
];
const FAY = [...SESSION, refusal("matchmake arena", "session.started", "room_full")];
const EVE = [
  ...SESSION,
  refusal("matchmake arena", "session.started", "auth_failed"),
  refusal("room.auth arena", "matchmake arena", "auth_failed"),
];

/** All who play. The first one's story has the server's boot as well. */
export const CAST: readonly [Part, ...Part[]] = [
  { player: "ann", story: ANN },
  { player: "bob", story: BOB },
  { player: "kim", story: KIM },
  { player: "ned", story: NED },
  { player: "fay", story: FAY },
  { player: "eve", story: EVE },
];
