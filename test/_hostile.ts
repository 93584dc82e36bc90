import fc from "fast-check";
import { signToken } from "../src/propagation/signature.ts";
import { tokenOf } from "../src/propagation/session-token.ts";
import { FOREIGN } from "./_secrets.ts";

/** In every name and text that a hostile client makes up. */
export const EVIL = "evil";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TOKEN = tokenOf({
  id: "0b9d2a3e-1f6c-4c57-9a51-0d6a4c2b7e11",
  start: Date.now(),
  leg: 0,
  matches: 0,
  end: "server",
  playerId: EVIL,
  authMethod: EVIL,
  clientVersion: EVIL,
  platform: EVIL,
});
const FORGED = signToken(TOKEN, TRACEPARENT, Date.now() + 3_600_000, { secrets: [FOREIGN] });

/** Well-formed, and not to be believed where signatures are asked for. */
const PLAUSIBLE: readonly string[] = [TRACEPARENT, TOKEN, FORGED];

const deep = (depth: number): unknown => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);

/** As JSON can say it. */
const NASTY: readonly unknown[] = [
  [null, true, 0, -0, 1e308, -1, "", " ", "\0", "\u202E", "\u{1F3AE}", "\uD800", "\uFEFF", "%", "%00", "%ED%A0%80"],
  [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "traceparent",
    "then",
    "NaN",
    "undefined",
    "[object Object]",
  ],
  [`${TRACEPARENT}\r\nx-evil: 1`, `${TRACEPARENT},${TRACEPARENT}`, TRACEPARENT.toUpperCase(), `{"traceparent":1}`],
  [":".repeat(511), "1:".repeat(256), `1${":".repeat(9)}`, `${FORGED}${FORGED}`, `:9999999999:${"A".repeat(43)}`],
  ["x".repeat(1 << 16), "\u0130".repeat(1 << 12), "-".repeat(1 << 12), "(".repeat(1 << 10), "9".repeat(400)],
  [[], {}, [TRACEPARENT], [[TOKEN]], deep(500), { length: 1e9 }, { toString: "x", valueOf: "y", toJSON: "z" }],
  ['{"__proto__":{"traceparent":"x"}}', '{"constructor":{"prototype":{}}}', '{"get":"x"}'].map((text) =>
    JSON.parse(text),
  ),
].flat();

/** Values of all kinds, half of them of fast-check. `seed` gives the same again. */
export function hostileValues(count: number, seed: number): readonly unknown[] {
  const values = fc.oneof(
    fc.constantFrom(...NASTY, ...PLAUSIBLE),
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  );
  return fc.sample(values, { numRuns: count, seed });
}

/** Numbers from 0 to `below`: mulberry32, as fast-check takes 10 us for one. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One of the values; of ten six as it is, the others a plausible one with a character changed, put in or cut off. */
export function pick(values: readonly unknown[], roll: (below: number) => number): unknown {
  if (roll(10) < 6) {
    return values[roll(values.length)];
  }
  const text = PLAUSIBLE[roll(PLAUSIBLE.length)]!;
  const at = roll(text.length);
  return text.slice(0, at) + String.fromCharCode(32 + roll(95)).repeat(roll(2)) + text.slice(at + roll(3));
}
