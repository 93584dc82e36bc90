/** `service.name` of the processes and providers of the story. */
export const SERVICES = { game: "arena-server", matchmaker: "matchmaker", login: "login" } as const;

export interface ExpectedSpan {
  readonly name: string;
  readonly service: string;
  /** Name of the parent; undefined for the root of a trace. */
  readonly parent: string | undefined;
  /** Name of a span that a link must point at. */
  readonly link?: string;
  /** May be missing: it is told after the trees are drawn. */
  readonly optional?: true;
}

const { game, matchmaker, login } = SERVICES;

/** One server's boot and one player's way. Each name stands for exactly one span. */
export const EXPECTED: readonly ExpectedSpan[] = [
  { name: "gameserver.boot", service: game, parent: undefined },
  { name: "gameserver.boot.load", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.prepare", service: game, parent: "gameserver.boot" },
  { name: "gameserver.boot.listen", service: game, parent: "gameserver.boot" },
  { name: "agones.connect", service: game, parent: "gameserver.boot" },
  { name: "agones.ready", service: game, parent: "gameserver.boot" },
  { name: "agones.wait_for_ready", service: game, parent: "gameserver.boot" },

  { name: "matchmaker.request", service: matchmaker, parent: undefined },
  { name: "provision.allocate_server", service: matchmaker, parent: "matchmaker.request" },
  { name: "provision.agones_allocate", service: matchmaker, parent: "provision.allocate_server" },
  { name: "gameserver.allocated", service: game, parent: "provision.agones_allocate", link: "gameserver.boot" },
  { name: "gameserver.map_load", service: game, parent: "gameserver.allocated" },

  { name: "player.login", service: login, parent: "matchmaker.request" },
  { name: "matchmake arena", service: game, parent: "player.login" },
  { name: "room.auth arena", service: game, parent: "matchmake arena" },
  { name: "room.create arena", service: game, parent: "matchmake arena" },
  { name: "room.join arena", service: game, parent: "matchmake arena" },
  { name: "room.on_join arena", service: game, parent: "room.join arena" },

  { name: "session.started", service: game, parent: "player.login" },
  { name: "session.phase.in_game", service: game, parent: "session.started" },
  { name: "session.lifecycle", service: game, parent: "session.started" },
  { name: "room.on_leave arena", service: game, parent: "session.started", link: "room.join arena" },
  { name: "room.on_dispose arena", service: game, parent: undefined, link: "room.create arena", optional: true },
];
