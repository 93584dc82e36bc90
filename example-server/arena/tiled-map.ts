import { readFile } from "node:fs/promises";
import { tileAt, type Grid, type Point } from "./grid.ts";
import { reachableTiles } from "./path.ts";
import { decodeTiles } from "./tiled-data.ts";
import { asArray, asCount, asNumber, asObject, fail, type JsonObject } from "./tiled-json.ts";

export interface ArenaMap extends Grid {
  readonly name: string;
  /** Tile centres, in tiles. */
  readonly spawns: readonly Point[];
}

const MAPS = new URL("../maps/", import.meta.url);
const MAP_NAME = /^[a-z0-9-]+$/;

/** Reads and parses `maps/<name>.json`. Rejects for a name that is not `[a-z0-9-]+`, a missing file and a bad map. */
export async function loadArenaMap(name: string): Promise<ArenaMap> {
  // The name may come from an allocation or a server's state: it must not leave the folder.
  if (!MAP_NAME.test(name)) fail(`map ${JSON.stringify(name)}`, "a name has only a-z, 0-9 and -");
  const text = await readFile(new URL(`${name}.json`, MAPS), "utf8").catch((cause: unknown) => {
    throw new Error(`map "${name}": cannot be read`, { cause });
  });
  return parseArenaMap(name, parseJson(name, text));
}

/** Turns a map as Tiled exports it (JSON, orthogonal, finite) into what the game plays on. */
export function parseArenaMap(name: string, json: unknown): ArenaMap {
  const where = `map "${name}"`;
  const map = asObject(json, where);
  if (map.type !== "map") fail(where, `type is ${JSON.stringify(map.type)}, expected "map"`);
  if (map.orientation !== "orthogonal")
    fail(where, `orientation is ${JSON.stringify(map.orientation)}, expected "orthogonal"`);
  if (map.infinite === true) fail(where, "infinite maps have no edge; make it finite in Tiled");

  const width = asCount(map.width, `${where}: width`);
  const height = asCount(map.height, `${where}: height`);
  const layers = asArray(map.layers, `${where}: layers`);
  const grid: Grid = { width, height, solid: parseWalls(where, layers, width, height) };
  return { name, ...grid, spawns: parseSpawns(where, layers, grid, map) };
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`map "${name}": is not JSON`, { cause });
  }
}

function parseWalls(map: string, layers: readonly unknown[], width: number, height: number): Uint8Array {
  const layer = findLayer(map, layers, "tilelayer", "walls");
  const where = `${map}: layer "walls"`;
  const columns = asCount(layer.width, `${where}: width`);
  const rows = asCount(layer.height, `${where}: height`);
  if (columns !== width || rows !== height) {
    fail(where, `is ${columns} x ${rows} tiles, the map is ${width} x ${height}`);
  }
  return Uint8Array.from(decodeTiles(where, layer, width * height), (gid) => (gid === 0 ? 0 : 1));
}

function parseSpawns(map: string, layers: readonly unknown[], grid: Grid, root: JsonObject): readonly Point[] {
  const tileWidth = asCount(root.tilewidth, `${map}: tilewidth`);
  const tileHeight = asCount(root.tileheight, `${map}: tileheight`);
  const layer = findLayer(map, layers, "objectgroup", "spawns");
  const objects = asArray(layer.objects, `${map}: layer "spawns": objects`);
  if (objects.length === 0) fail(`${map}: layer "spawns"`, "has no objects, nobody could enter");

  const spawns = objects.map((entry, index) => {
    const where = `${map}: layer "spawns": object ${index}`;
    const object = asObject(entry, where);
    const column = Math.floor(asNumber(object.x, `${where}: x`) / tileWidth);
    const row = Math.floor(asNumber(object.y, `${where}: y`) / tileHeight);
    return { x: column + 0.5, y: row + 0.5 };
  });
  requireOneFloor(map, grid, spawns);
  return spawns;
}

function requireOneFloor(map: string, grid: Grid, spawns: readonly Point[]): void {
  const floor = new Set(spawns[0] && contains(grid, spawns[0]) ? reachableTiles(grid, tileAt(grid, spawns[0])) : []);
  for (const [index, spawn] of spawns.entries()) {
    const where = `${map}: layer "spawns": object ${index}`;
    const tile = `column ${Math.floor(spawn.x)}, row ${Math.floor(spawn.y)}`;
    if (!contains(grid, spawn)) fail(where, `is outside the map (${tile})`);
    if (grid.solid[tileAt(grid, spawn)] !== 0) fail(where, `is inside a wall (${tile})`);
    if (!floor.has(tileAt(grid, spawn))) fail(where, `cannot be reached from object 0 (${tile})`);
  }
}

function contains(grid: Grid, point: Point): boolean {
  return point.x >= 0 && point.y >= 0 && point.x < grid.width && point.y < grid.height;
}

function findLayer(map: string, layers: readonly unknown[], type: string, name: string): JsonObject {
  for (const [index, entry] of layers.entries()) {
    const layer = asObject(entry, `${map}: layer ${index}`);
    if (layer.type === type && layer.name === name) return layer;
  }
  return fail(map, `has no ${type} named "${name}"`);
}
