import { LONGEST_TIMER_MS } from "./deadline.ts";

/** Checks of options: each throws a TypeError that names the option and the value. */

/** The check, where there is a value. */
export function optional<T>(value: T | undefined, check: (value: T) => T): T | undefined {
  return value === undefined ? undefined : check(value);
}

/** The options object itself, with no key that is not known. */
export function checkKeys(where: string, options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw new TypeError(`${where}: options must be an object, got ${show(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(
        `${where}: unknown option "${key}" (${show(withoutSecret(key, (options as Record<string, unknown>)[key]))}); known are ${known.join(", ")}`,
      );
    }
  }
}

export function checkOneOf<T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new TypeError(`${option} must be ${allowed.map((one) => `"${one}"`).join(" or ")}, got ${show(value)}`);
  }
  return value as T;
}

export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value !== "boolean") {
    throw new TypeError(`${option} must be true or false, got ${show(value)}`);
  }
  return value;
}

/** Milliseconds: more than zero, and no more than a timer takes. */
export function checkDuration(option: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
    throw new TypeError(`${option} must be a positive number of milliseconds, got ${show(value)}`);
  }
  if (value > LONGEST_TIMER_MS) {
    throw new TypeError(`${option} must be at most ${LONGEST_TIMER_MS} milliseconds (24 days), got ${value}`);
  }
  return value;
}

export function checkPort(option: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new TypeError(`${option} must be a port from 0 (any free one) to 65535, got ${show(value)}`);
  }
  return value;
}

export function checkString(option: string, value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`${option} must be a string that is not empty, got ${show(value)}`);
  }
  return value;
}

export function checkStrings(option: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`${option} must be an array of strings, got ${show(value)}`);
  }
  return Object.freeze(value.map((one, index) => checkString(`${option}[${index}]`, one)));
}

/** How many: a whole number from 1. */
export function checkCount(option: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`${option} must be a whole number from 1, got ${show(value)}`);
  }
  return value;
}

export function checkObjects<T extends object>(option: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`${option} must be an array of objects, got ${show(value)}`);
  }
  for (const [index, one] of value.entries()) {
    if (one === null || typeof one !== "object") {
      throw new TypeError(`${option}[${index}] must be an object, got ${show(one)}`);
    }
  }
  return value;
}

/** An object with strings: labels, annotations. The copy is the caller's own. */
export function checkStringMap(option: string, value: unknown): Readonly<Record<string, string>> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TypeError(`${option} must be an object with strings, got ${show(value)}`);
  }
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== "string") {
      throw new TypeError(`${option}[${JSON.stringify(key)}] must be a string, got ${show(one)}`);
    }
  }
  return Object.freeze({ ...(value as Record<string, string>) });
}

export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== "function") {
    throw new TypeError(`${option} must be a function, got ${show(value)}`);
  }
}

/** An object with these methods: providers and adapters, whoever made them. */
export function checkShape<T>(option: string, value: unknown, methods: readonly (keyof T & string)[]): T {
  const missing = methods.find(
    (method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] !== "function",
  );
  if (missing !== undefined) {
    throw new TypeError(`${option} must be an object with ${methods.join("(), ")}(), got ${show(value)}`);
  }
  return value as T;
}

/** A value in a message: short, and whatever it is. */
export function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "symbol") {
    return String(value);
  }
  if (typeof value === "function") {
    return `the function ${value.name || "(anonymous)"}`;
  }
  try {
    return (JSON.stringify(value, withoutSecret) ?? String(value)).slice(0, 100);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Messages end up in logs, and secrets may have been handed to the wrong option. */
function withoutSecret(key: string, value: unknown): unknown {
  return /secret/i.test(key) ? "not shown" : value;
}
