import { SERVICES, type ExpectedSpan } from "./expected-span.ts";

const { game, lobby, login } = SERVICES;

export const LOGIN: readonly ExpectedSpan[] = [
  { name: "session.started", service: login, parent: undefined, attributes: ["session.id", "player.id"] },
  { name: "session.phase.login", service: login, parent: "session.started", attributes: ["player.id"] },
];

export const SESSION: readonly ExpectedSpan[] = [
  ...LOGIN,
  {
    name: "session.phase.matchmaking",
    service: login,
    parent: "session.started",
    attributes: ["player.id", "matchmaking.wait_seconds", "lobby.id"],
  },
];

export const CREATE: ExpectedSpan = { name: "room.create arena", service: game, parent: "matchmake arena" };

/** Into a room, up to the confirmed join. `moved`: from another server of this session. */
function join(room: "arena" | "lobby", service: string, kind: "new" | "moved"): readonly ExpectedSpan[] {
  const asked = `matchmake ${room}`;
  return [
    { name: asked, service, parent: "session.started", values: { "error.type": null } },
    { name: `room.auth ${room}`, service, parent: asked },
    { name: `room.join ${room}`, service, parent: asked, values: { "colyseus.join.kind": kind } },
  ];
}

const ON_JOIN: ExpectedSpan = { name: "room.on_join arena", service: game, parent: "room.join arena" };
export const JOIN = [...join("arena", game, "new"), ON_JOIN];
export const MOVE = [...join("arena", game, "moved"), ON_JOIN];

export const DROP: ExpectedSpan = {
  name: "room.on_drop arena",
  service: game,
  parent: "session.started",
  link: "room.join arena",
};

export const RETURN: readonly ExpectedSpan[] = [
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

export const DISPOSAL: ExpectedSpan = {
  name: "room.on_dispose arena",
  service: game,
  parent: undefined,
  link: "room.create arena",
  optional: true,
};

export function phase(
  name: "matchmaking" | "loading" | "in_game" | "reconnecting",
  endedBy: string,
  more: Partial<ExpectedSpan> = {},
): ExpectedSpan {
  const values = { "phase.ended_by": endedBy, ...more.values };
  return { name: `session.phase.${name}`, service: game, parent: "session.started", ...more, values };
}

// The room's phase begins with the socket, and the game's with its onJoin.
export function match(number: number, endedBy: string): readonly ExpectedSpan[] {
  const loading = phase("loading", "phase", { attributes: ["loading.type", "loading.assets_count"] });
  return [inGame(number, "phase"), loading, inGame(number, endedBy)];
}

export function inGame(number: number, endedBy: string): ExpectedSpan {
  // Who only dropped is not out of the match, and has no result yet.
  const result = endedBy === "leave" || endedBy === "disconnect" ? ["game.result", "game.score"] : [];
  const attributes = ["server.id", "game.mode", ...result];
  return phase("in_game", endedBy, { attributes, values: { "session.match_number": number, "game.map": "crossfire" } });
}

export function visit(kind: "new" | "moved"): readonly ExpectedSpan[] {
  return [
    ...join("lobby", lobby, kind),
    phase("matchmaking", "leave", { service: lobby, attributes: ["lobby.id", "matchmaking.wait_seconds"] }),
  ];
}

/** Once more: what these call each other is what they are called from now on. */
export function again(story: readonly ExpectedSpan[]): readonly ExpectedSpan[] {
  const renamed = new Map(story.map(({ name, as = name }) => [as, `${as}, again`]));
  const other = (label: string) => renamed.get(label) ?? label;
  return story.map((span) => ({
    ...span,
    as: other(span.as ?? span.name),
    parent: span.parent && other(span.parent),
    ...(span.link && { link: other(span.link) }),
  }));
}

export function leave(link = "room.join arena"): ExpectedSpan {
  return { name: "room.on_leave arena", service: game, parent: "session.started", link };
}

export function end(reason: string, type: string, more: Partial<ExpectedSpan> = {}): ExpectedSpan {
  const values = { "session.end_reason": reason, "session.end_type": type, ...more.values };
  const attributes = ["session.id", "player.id"];
  return { name: "session.lifecycle", service: game, parent: "session.started", attributes, ...more, values };
}

export function refusal(name: string, parent: string, type: string): ExpectedSpan {
  return { name, service: game, parent, values: { "error.type": type } };
}

export const IN_AND_OUT = [...match(1, "leave"), leave(), end("client_quit", "graceful")];
