import { mapLoad } from "colyseus-otel";
import { loadArenaMap, type ArenaMap } from "./tiled-map.ts";

export const DEFAULT_MAP = "crossfire";

interface LoadedMap {
  current: ArenaMap | undefined;
  opening: Promise<ArenaMap> | undefined;
}

/** The map this server plays, and the one it is about to play. */
export const arenaMap: LoadedMap = { current: undefined, opening: undefined };

/** Loads a map for the rooms to come; those that already play keep theirs. */
export async function openArenaMap(name: string): Promise<ArenaMap> {
  const opening = mapLoad(name, () => loadArenaMap(name));
  arenaMap.opening = opening;
  try {
    const map = await opening;
    // A later allocation may have asked for another map meanwhile: the last one asked for is played.
    if (arenaMap.opening === opening) arenaMap.current = map;
    return map;
  } finally {
    if (arenaMap.opening === opening) arenaMap.opening = undefined;
  }
}

// The first player of an allocated server may be faster than its map: the one being opened comes before the last one.
export async function mapForRoom(): Promise<ArenaMap> {
  return arenaMap.opening ?? arenaMap.current ?? openArenaMap(DEFAULT_MAP);
}
