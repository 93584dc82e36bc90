import { matchMaker, Room } from "@colyseus/core";
import { afterEach, expect, test } from "vitest";
import { startServer } from "./_server.ts";

type Controller = typeof matchMaker.controller;

const { controller } = matchMaker;
const theirs = Object.getOwnPropertyDescriptors(controller);
const DEFAULT = "Origin, X-Requested-With, Content-Type, Accept, Authorization";
const BOTH = "traceparent, tracestate";

afterEach(() => void Object.defineProperties(controller, theirs));

/** What a browser asks before it sends a page's request to another origin. */
async function preflight(url: string): Promise<Record<string, string>> {
  const response = await fetch(`${url}/matchmake/joinOrCreate/arena`, {
    method: "OPTIONS",
    headers: {
      origin: "https://game.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,traceparent",
    },
  });
  expect(response.status).toBe(204);
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("access-control")));
}

const allowed = async (url: string) => (await preflight(url))["access-control-allow-headers"];

test("with cors a page of another origin may send its trace headers, and nothing else is allowed to it", async () => {
  const bare = await (async () => {
    await using game = await startServer({ arena: Room });
    expect(Object.getOwnPropertyDescriptors(controller).getCorsHeaders).toEqual(theirs.getCorsHeaders);
    return await preflight(game.url);
  })();
  await using game = await startServer({ arena: Room }, { cors: true });
  expect(bare["access-control-allow-headers"]).toBe(DEFAULT);
  expect(await preflight(game.url)).toEqual({ ...bare, "access-control-allow-headers": `${DEFAULT}, ${BOTH}` });
  await game.telemetry.shutdown();
  expect(await preflight(game.url)).toEqual(bare);
  expect(Object.getOwnPropertyDescriptor(controller, "getCorsHeaders")).toEqual(theirs.getCorsHeaders);
  expect(controller.getCorsHeaders).toBe(theirs.getCorsHeaders.value);
});

test("a context that came with the page's request is continued", async () => {
  await using game = await startServer({ arena: Room }, { cors: true });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await game.request("create", "arena", {}, { origin: "https://game.example", traceparent });
  expect(game.recorded.one("matchmake arena").spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
});

const OWN: readonly [string, Controller["getCorsHeaders"], string][] = [
  ["names origins only", () => ({ "Access-Control-Allow-Origin": "https://game.example" }), `${DEFAULT}, ${BOTH}`],
  [
    "gives one frozen list each time",
    () => Object.freeze({ "Access-Control-Allow-Headers": "Content-Type" }),
    `Content-Type, ${BOTH}`,
  ],
  [
    "spells the header its own way",
    () => ({ "ACCESS-control-allow-headers": "X-Game" }),
    `${DEFAULT}, X-Game, ${BOTH}`,
  ],
  ["lists one of ours already", () => ({ "Access-Control-Allow-Headers": "TraceParent" }), "TraceParent, tracestate"],
  [
    "reads its own controller",
    function getCorsHeaders(this: Controller) {
      return { "Access-Control-Allow-Headers": this.matchmakeRoute };
    },
    `matchmake, ${BOTH}`,
  ],
  ["has an empty list", () => ({ "Access-Control-Allow-Headers": "" }), BOTH],
  ["answers nothing", () => undefined as never, `${DEFAULT}, ${BOTH}`],
];

test.each(OWN)("a game's getCorsHeaders that %s, set before instrument()", async (_what, own, expected) => {
  controller.getCorsHeaders = own;
  await using game = await startServer({ arena: Room }, { cors: true });
  expect(await allowed(game.url)).toBe(expected);
  await game.telemetry.shutdown();
  expect(controller.getCorsHeaders).toBe(own);
});

test.each(OWN)("a game's getCorsHeaders that %s, set while the server runs", async (_what, own, expected) => {
  await using game = await startServer({ arena: Room }, { cors: true });
  controller.getCorsHeaders = own;
  expect(await allowed(game.url)).toBe(expected);
  await game.telemetry.shutdown();
  expect(controller.getCorsHeaders).toBe(own);
});

test("a getCorsHeaders that calls the one before it is called once, and goes on without us", async () => {
  await using game = await startServer({ arena: Room }, { cors: true });
  const before = controller.getCorsHeaders;
  let calls = 0;
  const own: Controller["getCorsHeaders"] = (headers) => {
    calls += 1;
    return { ...before.call(controller, headers), "Access-Control-Allow-Origin": "https://game.example" };
  };
  controller.getCorsHeaders = own;
  expect(await allowed(game.url)).toBe(`${DEFAULT}, ${BOTH}`);
  expect(calls).toBe(1);
  await game.telemetry.shutdown();
  expect(controller.getCorsHeaders).toBe(own);
  expect(await allowed(game.url)).toBe(DEFAULT);
});

test("a getCorsHeaders that is put back later is the very same after shutdown()", async () => {
  await using game = await startServer({ arena: Room }, { cors: true });
  const before = controller.getCorsHeaders;
  controller.getCorsHeaders = () => ({});
  controller.getCorsHeaders = before;
  expect(await allowed(game.url)).toBe(`${DEFAULT}, ${BOTH}`);
  await game.telemetry.shutdown();
  expect(controller.getCorsHeaders).toBe(theirs.getCorsHeaders.value);
});

test("a getCorsHeaders that is defined over ours stays", async () => {
  await using game = await startServer({ arena: Room }, { cors: true });
  const own: Controller["getCorsHeaders"] = () => ({});
  Object.defineProperty(controller, "getCorsHeaders", { ...theirs.getCorsHeaders, value: own });
  await game.telemetry.shutdown();
  expect(controller.getCorsHeaders).toBe(own);
});

test("defaults that the game changes while the server runs count, and are not ours to change", async () => {
  const defaults = controller.DEFAULT_CORS_HEADERS;
  await using game = await startServer({ arena: Room }, { cors: true });
  controller.DEFAULT_CORS_HEADERS = { ...defaults, "Access-Control-Allow-Headers": "X-Game" };
  expect(await allowed(game.url)).toBe(`X-Game, ${BOTH}`);
  expect(controller.DEFAULT_CORS_HEADERS["Access-Control-Allow-Headers"]).toBe("X-Game");
});

test("an error of the game's getCorsHeaders is the game's own", async () => {
  const error = new Error("the game's");
  await using game = await startServer({ arena: Room }, { cors: true });
  controller.getCorsHeaders = () => {
    throw error;
  };
  expect(() => controller.getCorsHeaders(new Headers())).toThrow(error);
  await game.telemetry.shutdown();
});

test("cors that is neither true nor false is an error", async () => {
  await expect(startServer({ arena: Room }, { cors: "*" as never })).rejects.toThrow(
    new TypeError('cors must be true or false, got "*"'),
  );
});
