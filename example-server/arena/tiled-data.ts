import { asArray, fail, type JsonObject } from "./tiled-json.ts";

const BYTES_PER_TILE = 4;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The global tile ids of a tile layer, flip flags included (they are the top bits, so an empty tile stays 0).
 * Format: https://doc.mapeditor.org/en/stable/reference/global-tile-ids/
 */
export function decodeTiles(where: string, layer: JsonObject, count: number): readonly number[] {
  const encoding = layer.encoding ?? "csv";
  if (layer.chunks !== undefined) fail(where, "has chunks; make the map finite in Tiled");
  if (encoding === "csv") return fromArray(where, layer.data, count);
  if (encoding === "base64") return fromBase64(where, layer, count);
  return fail(where, `encoding ${JSON.stringify(encoding)} is not supported`);
}

function fromArray(where: string, data: unknown, count: number): readonly number[] {
  const tiles = asArray(data, `${where}: data`);
  requireCount(where, tiles.length, count);
  const bad = tiles.findIndex((gid) => typeof gid !== "number" || !Number.isInteger(gid) || gid < 0);
  if (bad >= 0) fail(where, `tile ${bad} is ${JSON.stringify(tiles[bad])}, expected a global tile id`);
  return tiles as readonly number[];
}

function fromBase64(where: string, layer: JsonObject, count: number): readonly number[] {
  const compression = layer.compression ?? "";
  if (compression !== "")
    fail(where, `compression ${JSON.stringify(compression)} is not supported; choose "Base64 (uncompressed)" in Tiled`);
  // Buffer skips characters that are not base64 without a word: check before.
  if (typeof layer.data !== "string" || !BASE64.test(layer.data)) fail(where, "data is not base64");

  const bytes = Buffer.from(layer.data, "base64");
  requireCount(where, bytes.length / BYTES_PER_TILE, count);
  return Array.from({ length: count }, (_, tile) => bytes.readUInt32LE(tile * BYTES_PER_TILE));
}

function requireCount(where: string, found: number, expected: number): void {
  if (found !== expected) fail(where, `data has ${found} tiles, expected ${expected}`);
}
