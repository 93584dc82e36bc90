import {
  LOBBY_BOOT,
  BOOT,
  ALLOCATION,
  LOGIN,
  SESSION,
  CREATE,
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
import { SERVICES, type ExpectedSpan } from "./expected-span.ts";

/** What one player's story consists of. Spans of one name in the order in which they start, each after its parent. */
export interface Part {
  /** `player.id` */
  readonly player: string;
  readonly story: readonly ExpectedSpan[];
}

const ANN = [
  ...BOOT,
  ...LOBBY_BOOT,
  ...LOGIN,
  ...visit("new"),
  ...ALLOCATION,
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
const BOB = [...SESSION, ...JOIN, ...match(1, "leave"), leave(), end("client_quit", "graceful")];
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
export const CAST: readonly [Part, ...Part[]] = [
  { player: "ann", story: ANN },
  { player: "bob", story: BOB },
  { player: "kim", story: KIM },
  { player: "ned", story: NED },
  { player: "fay", story: FAY },
  { player: "eve", story: EVE },
];
