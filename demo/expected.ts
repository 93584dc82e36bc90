import {
  LOGIN,
  SESSION,
  CREATE,
  IN_AND_OUT,
  JOIN,
  MOVE,
  DROP,
  RETURN,
  DISPOSAL,
  phase,
  match,
  inGame,
  visit,
  again,
  leave,
  end,
  refusal,
} from "./expected-parts.ts";
import { allocation, BOOT, BOOT_ALONE, duringRequest, LOBBY_BOOT, request } from "./expected-server.ts";
import { SERVICES, type ExpectedSpan } from "./expected-span.ts";

/** What one player's story consists of. Spans of one name in the order in which they start, each after its parent. */
export interface Part {
  /** `player.id` */
  readonly player: string;
  /** The report has a line for them, and not the whole trace. */
  readonly brief?: true;
  readonly story: readonly ExpectedSpan[];
}

const ANN = [
  ...BOOT,
  ...LOBBY_BOOT,
  ...LOGIN,
  ...visit("new"),
  ...request("warm"),
  ...allocation("warm"),
  ...MOVE,
  CREATE,
  ...match(1, "drop"),
  DROP,
  phase("reconnecting", "return"),
  ...RETURN,
  inGame(1, "leave"),
  leave("the return"),
  ...again(visit("moved")),
  ...again([...MOVE, ...match(2, "leave"), leave()]),
  end("logout", "graceful", { service: SERVICES.login, values: { "session.matches_played": 2 } }),
  DISPOSAL,
];
const BOB = [...SESSION, ...JOIN, ...IN_AND_OUT];
const KIM = [...SESSION, ...JOIN, ...match(1, "disconnect"), DROP, leave(), end("kicked", "enforcement")];
const NED = [
  ...SESSION,
  ...JOIN,
  ...match(1, "drop"),
  DROP,
  phase("reconnecting", "disconnect"),
  leave(),
  end("timeout", "connection_failure"),
];
const FAY = [...SESSION, refusal("matchmake arena", "session.started", "room_full")];
const EVE = [
  ...SESSION,
  refusal("matchmake arena", "session.started", "auth_failed"),
  refusal("room.auth arena", "matchmake arena", "auth_failed"),
];

/** All who play. The first one's story has the server's boot as well. */
export type Cast = readonly [Part, ...Part[]];

export const CAST: Cast = [
  { player: "ann", story: ANN },
  { player: "bob", story: BOB, brief: true },
  { player: "kim", story: KIM, brief: true },
  { player: "ned", story: NED, brief: true },
  { player: "fay", story: FAY, brief: true },
  { player: "eve", story: EVE, brief: true },
];

const OWN_MATCH = [...JOIN, CREATE, ...IN_AND_OUT];

/** No server is ready when ann comes. */
export const COLD_CAST: Cast = [
  {
    player: "ann",
    story: [...SESSION, ...request("cold"), ...duringRequest(BOOT), ...allocation("cold"), ...OWN_MATCH, DISPOSAL],
  },
];

// bob's room is nobody's at its end, so that it stands in the first story.
const { link: _, ...OTHER_DISPOSAL } = DISPOSAL;

/** One server, for ann's match and then for bob's. */
export const REUSED_CAST: Cast = [
  {
    player: "ann",
    story: [...BOOT, ...SESSION, ...request("warm"), ...allocation("warm"), ...OWN_MATCH, DISPOSAL, OTHER_DISPOSAL],
  },
  { player: "bob", story: [...SESSION, ...request("reused"), ...allocation("reused"), ...OWN_MATCH] },
];

const MAP_LOAD = { name: "gameserver.map_load", service: SERVICES.game, parent: CREATE.name };

/** Nobody allocates: ann's room loads the map. */
export const ALONE_CAST: Cast = [
  { player: "ann", story: [...BOOT_ALONE, ...LOGIN, ...OWN_MATCH, MAP_LOAD, DISPOSAL] },
  { player: "bob", story: [...LOGIN, ...JOIN, ...IN_AND_OUT] },
];
