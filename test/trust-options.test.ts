import { Server } from "@colyseus/core";
import { instrument, type InstrumentOptions } from "colyseus-otel";
import { startSession } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import { resolveOptions } from "../src/options.ts";
import { optionsFromEnvironment } from "../src/register/environment.ts";
import { CURRENT, PREVIOUS } from "./_secrets.ts";

/** What the clock says: a warning that was said is quiet for a minute. */
let minute = 0;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const SHORT = "fifteen letters";
const traced = (options: object) => () => instrument(new Server({ greet: false, gracefullyShutdown: false }), options);
const login = (options: object) => () => startSession({ playerId: "ann", ...options });

test.each<[string, () => unknown, string]>([
  ["no secrets", traced({ trust: {} }), "trust.secrets must be an array with at least one string, got undefined"],
  [
    "an empty list",
    traced({ trust: { secrets: [] } }),
    "trust.secrets must be an array with at least one string, got an",
  ],
  [
    "a secret that is no list",
    traced({ trust: { secrets: CURRENT } }),
    "trust.secrets must be an array with at least one string, got string",
  ],
  [
    "a secret that can be guessed",
    traced({ trust: { secrets: [CURRENT, SHORT] } }),
    "trust.secrets[1] must be a string of at least 16 bytes, got 15 bytes",
  ],
  [
    "a secret that is no string",
    traced({ trust: { secrets: [Buffer.from(CURRENT)] } }),
    "trust.secrets[0] must be a string of at least 16 bytes, got object",
  ],
  [
    "an empty audience",
    traced({ trust: { secrets: [CURRENT], audience: "" } }),
    'trust.audience must be a string that is not empty, got ""',
  ],
  [
    "a misspelled option",
    traced({ trust: { secret: [CURRENT] } }),
    'trust: unknown option "secret"; known are secrets, audience',
  ],
  [
    "secrets as trust",
    traced({ trust: [CURRENT] }),
    "trust must be an object with secrets, audience, got an array of 1",
  ],
  ["a secret as trust", traced({ trust: CURRENT }), "or { secrets }, got another string"],
  ["no trust", traced({ trust: null }), 'trust must be "continue" or "signed" or "link" or "ignore", got null'],
  ["secrets beside trust", traced({ secrets: [CURRENT] }), 'instrument: unknown option "secrets" ("not shown")'],
  ["a signature without secrets", login({ sign: {} }), "startSession.sign.secrets must be an array"],
  [
    "sign: true",
    login({ sign: true }),
    "startSession.sign must be an object with secrets, audience, expiresIn, got bool",
  ],
  ["secrets beside sign", login({ secrets: [CURRENT] }), 'startSession: unknown option "secrets" ("not shown")'],
  ["a misspelled sign", login({ sing: { secrets: [CURRENT] } }), 'unknown option "sing" ({"secrets":"not shown"})'],
  [
    "an expiry that is over",
    login({ sign: { secrets: [CURRENT], expiresIn: 0 } }),
    "startSession.sign.expiresIn must be a positive number of milliseconds, got 0",
  ],
  [
    "an expiry after the session's own",
    login({ sign: { secrets: [CURRENT], expiresIn: 86_400_001 } }),
    "startSession.sign.expiresIn must be at most a day (86400000), got 86400001",
  ],
])("%s is a TypeError that names the option, and shows no secret", (_what, act, message) => {
  expect(act).toThrow(TypeError);
  expect(act).toThrow(message);
  const said = catchMessage(act);
  for (const secret of [CURRENT, SHORT]) {
    expect(said).not.toContain(secret.slice(0, 7));
  }
});

test('trust: "signed" has its secrets from the environment, with commas between', () => {
  expect(traced({ trust: "signed" })).toThrow("COLYSEUS_OTEL_TRUST_SECRETS must hold the secrets");
  vi.stubEnv("COLYSEUS_OTEL_TRUST_SECRETS", `${CURRENT},${SHORT}`);
  expect(traced({ trust: "signed" })).toThrow(
    new TypeError("COLYSEUS_OTEL_TRUST_SECRETS[1] must be a string of at least 16 bytes, got 15 bytes"),
  );
  vi.stubEnv("COLYSEUS_OTEL_TRUST_SECRETS", ` ${CURRENT}, ${PREVIOUS},`);
  vi.stubEnv("COLYSEUS_OTEL_TRUST_AUDIENCE", "arena");
  expect(resolveOptions({ trust: "signed" }).trust).toEqual({ secrets: [CURRENT, PREVIOUS], audience: "arena" });
  expect(resolveOptions({}).trust).toBe("continue");
});

test("the caller's list of secrets may change: the server's does not", () => {
  const secrets = [CURRENT];
  const { trust } = resolveOptions({ trust: { secrets } });
  secrets.push("x");
  expect(trust).toEqual({ secrets: [CURRENT], audience: undefined });
  expect(Object.isFrozen(trust)).toBe(true);
});

test.each<[string, NodeJS.ProcessEnv, InstrumentOptions["trust"], string[]]>([
  ["nothing", {}, "continue", []],
  ["link, with secrets", { COLYSEUS_OTEL_TRUST: "link", COLYSEUS_OTEL_TRUST_SECRETS: CURRENT }, "link", []],
  ["secrets alone", { COLYSEUS_OTEL_TRUST_SECRETS: CURRENT }, { secrets: [CURRENT], audience: undefined }, []],
  [
    "signed",
    { COLYSEUS_OTEL_TRUST: "signed", COLYSEUS_OTEL_TRUST_SECRETS: CURRENT, COLYSEUS_OTEL_TRUST_AUDIENCE: "arena" },
    { secrets: [CURRENT], audience: "arena" },
    [],
  ],
  ["signed without secrets", { COLYSEUS_OTEL_TRUST: "signed" }, "link", ["is not set; link is used"]],
  ["a secret too short", { COLYSEUS_OTEL_TRUST_SECRETS: SHORT }, "link", ["got 15 bytes; link is used"]],
  [
    "a misspelled word, with secrets",
    { COLYSEUS_OTEL_TRUST: "sgined", COLYSEUS_OTEL_TRUST_SECRETS: CURRENT },
    { secrets: [CURRENT], audience: undefined },
    ['COLYSEUS_OTEL_TRUST="sgined" is none of continue, signed, link, ignore; signed is used'],
  ],
])("register, COLYSEUS_OTEL_TRUST_*: %s", (_what, env, trust, said) => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(performance, "now").mockReturnValue((minute += 61_000));
  const agones = () => expect.unreachable();
  expect(resolveOptions(optionsFromEnvironment(env, { appUsesAgones: false, agones, gamelift: agones })).trust).toEqual(
    trust,
  );
  expect(warned.mock.calls.flat()).toEqual(said.map((one) => expect.stringContaining(one)));
  expect(warned.mock.calls.join()).not.toContain(SHORT);
});

function catchMessage(act: () => unknown): string {
  try {
    act();
    return "nothing was thrown";
  } catch (error) {
    return String(error);
  }
}
