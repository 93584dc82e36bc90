export type JsonObject = Readonly<Record<string, unknown>>;

const MOST_TILES_A_SIDE = 4096;

export function fail(where: string, what: string): never {
  throw new Error(`${where}: ${what}`);
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(where, "is not an object");
  return value as JsonObject;
}

export function asArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) fail(where, "is not an array");
  return value;
}

export function asNumber(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) fail(where, "is not a number");
  return value;
}

/** A size: a whole number from 1 up to 4096, so that a bad map cannot ask for gigabytes. */
export function asCount(value: unknown, where: string): number {
  const count = asNumber(value, where);
  if (!Number.isInteger(count) || count < 1 || count > MOST_TILES_A_SIDE) {
    fail(where, `is ${count}, expected a whole number from 1 to ${MOST_TILES_A_SIDE}`);
  }
  return count;
}
