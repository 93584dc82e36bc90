import { beforeAll, describe, expect, test } from "vitest";
import { playersOf } from "../demo/cast.ts";
import { CAST } from "../demo/expected.ts";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { verdict } from "../demo/verdict.ts";
import { HOWS, play } from "./_demo.ts";
import { mutations } from "./_mutations.ts";

describe.each(HOWS)("the story of a game $how", ({ args }) => {
  let spans: readonly ReceivedSpan[] = [];

  beforeAll(async () => {
    await using receiver = await startReceiver();
    const run = await play(["--once", ...args], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    expect(run, run.output).toMatchObject({ code: 0 });
    spans = [...receiver.spans];
  }, 60_000);

  test("with OTEL_EXPORTER_OTLP_ENDPOINT every span of every process goes to whatever listens there, whole", () => {
    expect(verdict(spans, CAST)).toEqual([]);
    const services = new Set(spans.map(({ resource }) => resource["service.name"]));
    expect(services).toEqual(new Set(["arena-server", "lobby", "login", "matchmaker"]));
  });

  test("is one trace a player from the login to the end, beside the boots' and the disposal's", () => {
    const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()];
    const rootsOf = (trace: readonly ReceivedSpan[]) => trace.filter((span) => span.parentSpanId === undefined);
    const roots = traces.map((trace) => rootsOf(trace).map(({ name }) => name));
    expect(roots.flat().toSorted()).toEqual([
      "gameserver.boot",
      "gameserver.boot",
      "room.on_dispose arena",
      ...Array(CAST.length).fill("session.started"),
    ]);
    expect(roots).toHaveLength(3 + CAST.length);
  });

  test("no span id comes twice, no parent is missing, no child starts over 5 ms before its parent", () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    expect(byId.size).toBe(spans.length);
    for (const span of spans) {
      const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
      expect([span.name, parent?.traceId]).toEqual([span.name, span.parentSpanId && span.traceId]);
      expect(span.startMs, span.name).toBeGreaterThan((parent?.startMs ?? 0) - 5);
      expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
    }
  });

  test("the verdict on a real run names each span that is dropped, re-parented or moved to another trace", () => {
    const broken = mutations(spans, CAST);
    expect(broken.length).toBeGreaterThan(2000);
    for (const { what, name, spans: mutated } of broken) {
      expect(verdict(mutated, CAST).join("\n"), what).toContain(name);
    }
  });

  test("the server's resource names its GameServer and fleet", () => {
    const boot = spans.find((span) => span.name === "gameserver.boot" && span.resource["service.name"] !== "lobby")!;
    expect(boot.resource).toMatchObject({
      "agones.gameserver.name": "arena-7xk2p",
      "agones.fleet": "arena",
      "service.instance.id": "arena-7xk2p",
    });
  });

  test("login, lobby, match, lobby, match and logout are one session with one end, told by the login service", () => {
    const id = playersOf(spans).get("ann")![0]!.attributes["session.id"];
    const own = spans.filter(({ attributes }) => attributes["session.id"] === id);
    const ends = own.filter(({ name }) => name === "session.lifecycle");
    expect(ends).toEqual([expect.objectContaining({ resource: expect.objectContaining({ "service.name": "login" }) })]);
    expect(ends[0]!.attributes).toMatchObject({ "session.end_reason": "logout", "session.matches_played": 2 });
    const joins = own.filter(({ name }) => name.startsWith("room.join ")).toSorted((a, b) => a.startMs - b.startMs);
    const ways = joins.map(({ name, attributes }) => [name.slice(10), attributes["colyseus.join.kind"]].join(" "));
    expect(ways).toEqual(["lobby new", "arena moved", "arena reconnect", "lobby moved", "arena moved"]);
  });

  test("the session is the login's on every side, and the address is where the player went", () => {
    const anns = playersOf(spans).get("ann")!;
    const attribute = (name: string, key: string) => anns.find((span) => span.name === name)?.attributes[key];
    const id = attribute("session.started", "session.id");
    expect(attribute("session.lifecycle", "session.id")).toBe(id);
    expect(attribute("session.phase.in_game", "session.id")).toBe(id);
    expect(attribute("session.lifecycle", "player.id")).toBe("ann");
    expect(attribute("provision.allocate_server", "server.address")).toBe("127.0.0.1");
    expect(attribute("provision.agones_allocate", "agones.server_name")).toBe("arena-7xk2p");
  });
});
