import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { allocate, gamelift, type GameLiftProviderOptions } from "colyseus-otel/backend";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startGameLiftFleet } from "./_gamelift-api.ts";

const client = { send: async () => ({}) };
const LONG = "x".repeat(97);

test.each<[Record<string, unknown>, string]>([
  [{ client: {} }, "gamelift.client must be an object with send(), got {}"],
  [{ fleetId: undefined }, "gamelift: exactly one of fleetId, aliasId, queue must be given, got {}"],
  [{ queue: "eu" }, 'gamelift: exactly one of fleetId, aliasId, queue must be given, got {"fleetId":"f","queue":"eu"}'],
  [{ fleetId: "" }, 'gamelift.fleetId must be a string that is not empty, got ""'],
  [{ location: 1 }, "gamelift.location must be a string that is not empty, got 1"],
  [
    { fleetId: undefined, queue: "eu", location: "eu" },
    'gamelift.location must not stand beside gamelift.queue, got "eu"',
  ],
  [{ maximumPlayers: 0 }, "gamelift.maximumPlayers must be a whole number from 1, got 0"],
  [{ properties: { map: 1 } }, 'gamelift.properties["map"] must be a string, got 1'],
  [{ properties: { "": "a" } }, 'gamelift.properties: a key must have 1 to 32 characters, got ""'],
  [{ events: [] }, "gamelift.events must be an AsyncIterable of ids, got []"],
  [{ poll: { first: 0 } }, "gamelift.poll.first must be a positive number of milliseconds, got 0"],
  [{ poll: { longest: "1" } }, 'gamelift.poll.longest must be a positive number of milliseconds, got "1"'],
  [{ poll: { every: 1 } }, 'gamelift.poll: unknown option "every" (1); known are first, longest'],
  [{ tracerProvider: {} }, "gamelift.tracerProvider must be an object with getTracer(), got {}"],
  [
    { region: "eu" },
    'gamelift: unknown option "region" ("eu"); known are client, fleetId, aliasId, queue, location, maximumPlayers, properties, events, poll, tracerProvider, meterProvider',
  ],
])("gamelift() names the wrong option and its value: %j", (options, message) => {
  const given = { client, fleetId: "f", ...options } as unknown as GameLiftProviderOptions;
  expect(() => gamelift(given)).toThrow(new TypeError(message));
});

test.each<[Record<string, unknown>, string]>([
  [{ players: undefined }, "allocate.players must say how many where gamelift.maximumPlayers does not, got undefined"],
  [{ players: [] }, "allocate.players must say how many where gamelift.maximumPlayers does not, got 0"],
  [
    { labels: { mode: "ctf" } },
    'allocate.labels must not be given to gamelift(): a game session has none, annotations are its GameProperties; got {"mode":"ctf"}',
  ],
  [{ mode: LONG }, `allocate.mode must have at most 96 characters to be a GameProperty, got 97: "${LONG}"`],
  [{ region: LONG }, `allocate.region must have at most 96 characters to be a GameProperty, got 97: "${LONG}"`],
  [
    { annotations: { map: LONG } },
    `allocate.annotations["map"] must have at most 96 characters to be a GameProperty, got 97: "${LONG}"`,
  ],
  [
    { annotations: { [LONG.slice(0, 33)]: "" } },
    `allocate.annotations: a key must have 1 to 32 characters, got "${LONG.slice(0, 33)}"`,
  ],
])("allocate() names what no game session can be told, and asks nobody: %j", async (options, message) => {
  await using fleet = await startGameLiftFleet({}, { maximumPlayers: undefined });
  await expect(allocate({ provider: fleet.provider, players: 2, ...options })).rejects.toThrow(new TypeError(message));
  expect(fleet.api.requests).toEqual([]);
  expect(fleet.recorded.spans()).toEqual([]);
});

test("whatever properties a match has, it is refused with a TypeError or understood by GameLift", async () => {
  await using fleet = await startGameLiftFleet({ processes: 1000 });
  const text = (max: number) => fc.string({ maxLength: max + 2, unit: "binary" });
  const properties = (maxKeys: number) => fc.dictionary(text(32), text(96), { maxKeys });
  const match = fc.record({ annotations: properties(18), own: properties(3) });
  const some = fc.option(text(96).filter(Boolean), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(match, some, some, async ({ annotations, own }, region, mode) => {
      const sent = {
        ...(mode !== undefined && { gameMode: mode }),
        ...(region !== undefined && { region }),
        ...own,
        ...annotations,
      };
      const names = Object.keys({ ...sent, traceparent: "", "colyseus-otel/requested-at": "" });
      const fits =
        names.length <= 16 &&
        [own, annotations].every((bag) => Object.keys(bag).every((key) => key !== "" && key.length <= 32)) &&
        [region ?? "", mode ?? "", ...Object.values(own), ...Object.values(annotations)].every(
          (one) => one.length <= 96,
        );
      const called = fleet.api.requests.length;
      const attempt = async () => {
        const provider = fleet.connect({ properties: own });
        return allocate({ provider, annotations, ...(region && { region }), ...(mode && { mode }) });
      };
      if (fits) {
        expect((await attempt()).annotations).toMatchObject(sent);
      } else {
        await expect(attempt()).rejects.toThrow(TypeError);
        expect(fleet.api.requests.length).toBe(called);
      }
    }),
    { numRuns: 60 },
  );
});

test("without @aws-sdk/client-gamelift the error names what to install", async () => {
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve: (name, context, next) => next(name === "@aws-sdk/client-gamelift" ? "not-installed" : name, context),
    });
    const { gamelift, allocate } = await import("${new URL("../src/backend.ts", import.meta.url).href}");
    const provider = gamelift({ client: { send() {} }, fleetId: "f", maximumPlayers: 2 });
    await allocate({ provider }).catch((error) => {
      console.log(error.outcome, error.attempts, error.message, error.cause.cause.code);
    });
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
  expect(stdout).toContain("allocation_failed 1 no server after one call");
  expect(stdout).toContain("needs a package: npm install @aws-sdk/client-gamelift ERR_MODULE_NOT_FOUND");
});

test("a location of a game that throws fails its allocation, and nothing else", async () => {
  const location = () => {
    throw new Error("no such region");
  };
  await using fleet = await startGameLiftFleet({}, { location });
  await expect(allocate({ provider: fleet.provider })).rejects.toMatchObject({
    outcome: "allocation_failed",
    cause: { message: "no such region" },
  });
});
