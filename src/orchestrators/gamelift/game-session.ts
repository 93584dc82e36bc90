import type { Carrier } from "../orchestrator.ts";
import { parseObject, type Fields } from "./frames.ts";

/** What GameLift wants to be played, in its own words. What it does not say is empty, or 0. */
export interface GameSession {
  readonly GameSessionId: string;
  readonly Name: string;
  readonly FleetId: string;
  /** Up to 262,144 characters of whoever asked for the session. */
  readonly GameSessionData: string;
  readonly GameProperties: Readonly<Record<string, string>>;
  /** FlexMatch's JSON: teams, players and their attributes. */
  readonly MatchmakerData: string;
  readonly MaximumPlayerSessionCount: number;
  readonly IpAddress: string;
  readonly DnsName: string;
  readonly Port: number;
}

const KEY = "traceparent";

/**
 * A game session out of a message; undefined where it names none. A field of the wrong type is left empty: the session is
 * there all the same, and the service waits for it.
 */
export function readGameSession(fields: Fields, fleetId: string): GameSession | undefined {
  const text = (key: string) => (typeof fields[key] === "string" ? fields[key] : "");
  const count = (key: string) => (typeof fields[key] === "number" ? fields[key] : 0);
  const GameSessionId = text("GameSessionId");
  return GameSessionId === ""
    ? undefined
    : {
        GameSessionId,
        // CreateGameSession has the one, UpdateGameSession the other.
        Name: text("GameSessionName") || text("Name"),
        FleetId: text("FleetId") || fleetId,
        GameSessionData: text("GameSessionData"),
        GameProperties: textsOf(fields["GameProperties"]),
        MatchmakerData: text("MatchmakerData"),
        MaximumPlayerSessionCount: count("MaximumPlayerSessionCount"),
        IpAddress: text("IpAddress"),
        DnsName: text("DnsName"),
        Port: count("Port"),
      };
}

export interface SessionCarrier {
  readonly source: "game_property" | "game_session_data";
  readonly annotations: Carrier;
  readonly players: readonly Carrier[];
}

/** Where the context of whoever asked for the session may be: in a game property, else in the game's own JSON, else the players'. */
export function carrierOf({ GameProperties, GameSessionData, MatchmakerData }: GameSession): SessionCarrier {
  if (GameProperties[KEY] !== undefined) {
    return { source: "game_property", annotations: GameProperties, players: [] };
  }
  const data = traceFields(parseObject(GameSessionData));
  if (data[KEY] !== undefined) {
    // A game property may say since when somebody waits, wherever the context is.
    return { source: "game_session_data", annotations: { ...GameProperties, ...data }, players: [] };
  }
  return {
    source: "game_property",
    annotations: GameProperties,
    players: playersCarriers(parseObject(MatchmakerData)),
  };
}

/** A player's data holds `traceparent` and `tracestate` in JSON, or is the traceparent itself. */
export function carrierInPlayerData(playerData: unknown): Carrier {
  if (typeof playerData !== "string") {
    return {};
  }
  const data = parseObject(playerData);
  return data ? traceFields(data) : { [KEY]: playerData };
}

function traceFields(data: Fields | undefined): Carrier {
  return textsOf({ [KEY]: data?.[KEY], tracestate: data?.["tracestate"] });
}

/** FlexMatch gives an attribute as `{ attributeType: "STRING", valueAttribute }`. */
function playersCarriers(matchmakerData: Fields | undefined): Carrier[] {
  return listOf(matchmakerData?.["teams"])
    .flatMap((team) => listOf(fieldsOf(team)["players"]))
    .map((player) => fieldsOf(fieldsOf(fieldsOf(player)["attributes"])[KEY])["valueAttribute"])
    .filter((value) => typeof value === "string")
    .map((traceparent) => ({ [KEY]: traceparent }));
}

function textsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(fieldsOf(value));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
