import { DEFAULT_MAP } from "./arena/loaded-map.ts";

type Pairs = readonly (readonly [string, string])[];

/** The part of an Agones GameServer, as the Node SDK gives it, that names the map. */
export interface AllocatedServer {
  readonly objectMeta?: { readonly annotationsMap?: Pairs; readonly labelsMap?: Pairs } | undefined;
}

/** The part of a GameLift game session that names the map. */
export interface PlacedSession {
  readonly GameProperties: Readonly<Record<string, string>>;
}

const MAP_KEY = "arena.map";

/** The map that the matchmaker asked for, by annotation or else by label. */
export function allocatedMap(gameServer: AllocatedServer): string {
  const { annotationsMap = [], labelsMap = [] } = gameServer.objectMeta ?? {};
  return new Map([...labelsMap, ...annotationsMap]).get(MAP_KEY) ?? DEFAULT_MAP;
}

/** The map that the matchmaker asked for, by game property. */
export function placedMap({ GameProperties }: PlacedSession): string {
  return GameProperties[MAP_KEY] ?? DEFAULT_MAP;
}
