import fc from "fast-check";
import { createHmac, timingSafeEqual } from "node:crypto";
import { expect, test, vi } from "vitest";
import { sessionCarrier } from "../src/propagation/session-carrier.ts";
import { MAX_TOKEN, parseToken, tokenOf, TOKEN_TEXTS, type SessionToken } from "../src/propagation/session-token.ts";
import { isSigned, signToken } from "../src/propagation/signature.ts";
import { CURRENT, FOREIGN, PREVIOUS } from "./_secrets.ts";

vi.mock(import("node:crypto"), async (original) => {
  const crypto = await original();
  return {
    ...crypto,
    createHmac: vi.fn<typeof crypto.createHmac>(crypto.createHmac),
    timingSafeEqual: vi.fn<typeof crypto.timingSafeEqual>(crypto.timingSafeEqual),
  };
});

const NOW = 1_800_000_000_000;
const LATER = NOW + 60_000;
const ARENA = { secrets: [CURRENT], audience: "arena" };
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const ANN: SessionToken = {
  id: "0b9d2a3e-1f6c-4c57-9a51-0d6a4c2b7e11",
  start: NOW,
  leg: 0,
  matches: 0,
  end: "server",
  playerId: "steam:7656",
  authMethod: "steam",
  clientVersion: "1.4.2",
  platform: "windows",
};
const TOKEN = tokenOf(ANN);
const SIGNED = signToken(TOKEN, TRACEPARENT, LATER, ARENA);

test("a signed token is the token, its expiry in epoch seconds, and an HMAC-SHA256 over everything that must not change", () => {
  const text = `colyseus-otel\n${TOKEN}\n1800000060\n${TRACEPARENT}\narena`;
  expect(SIGNED).toBe(`${TOKEN}:1800000060:${createHmac("sha256", CURRENT).update(text).digest("base64url")}`);
  expect(parseToken(SIGNED, NOW)).toEqual(ANN);
  expect(isSigned(SIGNED, TRACEPARENT, ARENA, NOW)).toBe(true);
});

test("what one of the secrets has signed is signed, whichever signs now", () => {
  const [older, newer] = [[PREVIOUS], [CURRENT, PREVIOUS]].map((secrets) => signToken(TOKEN, "", LATER, { secrets }));
  const verdicts = (secrets: string[]) => [older, newer].map((value) => isSigned(value, "", { secrets }, NOW));
  expect(verdicts([CURRENT, PREVIOUS])).toEqual([true, true]);
  expect(verdicts([PREVIOUS])).toEqual([true, false]);
  expect(verdicts([CURRENT])).toEqual([false, true]);
});

test("it is good until its expiry, which is rounded up to a second", () => {
  expect(isSigned(SIGNED, TRACEPARENT, ARENA, LATER - 1)).toBe(true);
  expect(isSigned(SIGNED, TRACEPARENT, ARENA, LATER)).toBe(false);
  const soon = signToken(TOKEN, TRACEPARENT, NOW + 1, ARENA);
  expect([NOW, NOW + 999, NOW + 1000].map((at) => isSigned(soon, TRACEPARENT, ARENA, at))).toEqual([true, true, false]);
});

test.each([
  ["of another secret", signToken(TOKEN, TRACEPARENT, LATER, { ...ARENA, secrets: [FOREIGN] }), TRACEPARENT],
  ["for another audience", signToken(TOKEN, TRACEPARENT, LATER, { ...ARENA, audience: "lobby" }), TRACEPARENT],
  ["for no audience", signToken(TOKEN, TRACEPARENT, LATER, { secrets: [CURRENT] }), TRACEPARENT],
  ["beside another context", SIGNED, TRACEPARENT.replace("b7", "c8")],
  ["whose context was made a sampled one", signToken(TOKEN, TRACEPARENT.replace(/1$/, "0"), LATER, ARENA), TRACEPARENT],
  ["whose context was taken away", SIGNED, ""],
  ["without a context, beside one", signToken(TOKEN, "", LATER, ARENA), TRACEPARENT],
  ["of another player", SIGNED.replace("7656", "7657"), TRACEPARENT],
  ["with a later expiry", SIGNED.replace("1800000060", "1800000061"), TRACEPARENT],
  ["with a context that goes on in its audience", SIGNED, `${TRACEPARENT}\narena`],
  ["without a signature", TOKEN, TRACEPARENT],
  ["beside a context that is a megabyte", SIGNED, "x".repeat(1 << 20)],
  ["beside a context that is no string", SIGNED, [TRACEPARENT]],
  ["that is no string", [SIGNED], TRACEPARENT],
  ["that is a megabyte", SIGNED.padStart(1 << 20, "x"), TRACEPARENT],
])("a token %s is not signed", (_what, value, traceparent) => {
  expect(isSigned(value, traceparent, ARENA, NOW)).toBe(false);
});

test("no change of a character, and no cut, goes unseen; what is no signature at all is no token either", () => {
  const change = fc.tuple(fc.nat(SIGNED.length - 1), fc.nat(SIGNED.length), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(change, ([at, cut, put]) => {
      const value = SIGNED.slice(0, at) + put + SIGNED.slice(at + cut);
      expect(isSigned(value, TRACEPARENT, ARENA, NOW)).toBe(value === SIGNED);
    }),
    { numRuns: 20_000 },
  );
  for (const end of [-1, -20, -43, -44, -54]) {
    expect(parseToken(SIGNED.slice(0, end), NOW)).toBe("malformed");
  }
});

test("base64 that decodes to the same bytes is not the same signature: one carrier has one text", () => {
  const last = SIGNED.at(-1)!;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const twin = SIGNED.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1]!;
  const decoded = [SIGNED, twin].map((value) => Buffer.from(value.slice(-43), "base64url").toString("hex"));
  expect(decoded[0]).toBe(decoded[1]);
  expect(isSigned(twin, TRACEPARENT, ARENA, NOW)).toBe(false);
});

test("signatures are compared in constant time; what has expired, or is longer than any, is not even hashed", () => {
  const [compared, hashed] = [vi.mocked(timingSafeEqual).mockClear(), vi.mocked(createHmac).mockClear()];
  const forged = SIGNED.slice(0, -43) + "A".repeat(43);
  expect(isSigned(forged, TRACEPARENT, { ...ARENA, secrets: [CURRENT, PREVIOUS] }, NOW)).toBe(false);
  expect(compared).toHaveBeenCalledTimes(2);
  expect(isSigned(forged, TRACEPARENT, ARENA, LATER)).toBe(false);
  expect(isSigned(forged.padStart(1 << 20, "x"), TRACEPARENT, ARENA, NOW)).toBe(false);
  expect(isSigned(forged, "x".repeat(1 << 20), ARENA, NOW)).toBe(false);
  expect(hashed).toHaveBeenCalledTimes(2);
});

test("the longest token that there is fits with its signature, and is read", () => {
  const texts = Object.fromEntries(Object.entries(TOKEN_TEXTS).map(([name, bytes]) => [name, "x".repeat(bytes)]));
  const longest: SessionToken = { ...ANN, ...texts, id: "i".repeat(64), leg: 1e9, matches: 1e9, end: "service" };
  const longestStart = tokenOf({ ...longest, start: 999_999_999_999_999 });
  expect(signToken(longestStart, TRACEPARENT, LATER, ARENA).length).toBeLessThanOrEqual(MAX_TOKEN);
  expect(parseToken(signToken(tokenOf(longest), TRACEPARENT, LATER, ARENA), NOW)).toMatchObject(texts);
});

test("a carrier for the next join is signed over the very traceparent that it holds, for an hour unless told otherwise", () => {
  const root = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
  const now = Date.now();
  const lifetime = (carrier: { readonly "colyseus-otel": string }, traceparent = "") => {
    const good = (after: number) => isSigned(carrier["colyseus-otel"], traceparent, ARENA, now + after);
    return [good(59_000), good(3_590_000), good(3_610_000)];
  };
  const carrier = sessionCarrier(ANN, root, ARENA);
  expect(carrier.traceparent).toBe(`00-${root.traceId}-${root.spanId}-01`);
  expect(lifetime(carrier, carrier.traceparent)).toEqual([true, true, false]);
  expect(lifetime(sessionCarrier(ANN, undefined, ARENA))).toEqual([true, true, false]);
  expect(lifetime(sessionCarrier(ANN, undefined, { ...ARENA, expiresIn: 60_000 }))).toEqual([true, false, false]);
  expect(sessionCarrier(ANN, undefined, undefined)).toEqual({ "colyseus-otel": TOKEN });
});
