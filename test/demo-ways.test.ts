import { describe, expect, test } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { HOWS, play } from "./_demo.ts";

const WAYS = [
  { way: "--cold", players: ["ann"], starts: ["cold"] },
  { way: "--reused", players: ["ann", "bob"], starts: ["warm", "reused"] },
  { way: "--orchestrator none", players: ["ann", "bob"], starts: [] },
];

describe.each(HOWS)("the demo of a game $how", ({ args }) => {
  test.each(WAYS)("$way is drawn, said to be whole, and exits 0", { timeout: 60_000 }, async ({ way, ...told }) => {
    const { code, output } = await play(["--once", ...way.split(" "), ...args]);
    expect(code, output).toBe(0);
    for (const player of told.players)
      expect(output).toMatch(new RegExp(`^  ${player} login · [^]*?client_quit: 1 match,`, "m"));
    expect(output.match(/─ gameserver\.allocated/g) ?? []).toHaveLength(told.starts.length);
    expect(output.split("\n").filter((line) => line.length > 100)).toEqual([]);
    expect(output.includes("agones.ready")).toBe(told.starts.length > 0);
  });
});

test.each([
  { way: "gamelift", players: ["ann", "bob"] },
  { way: "gamelift --cold", players: ["ann"] },
])("--orchestrator $way is drawn, said to be whole, and exits 0", { timeout: 60_000 }, async ({ way, players }) => {
  const { code, output } = await play(["--once", "--orchestrator", ...way.split(" ")]);
  expect(code, output).toBe(0);
  for (const player of players)
    expect(output).toMatch(new RegExp(`^  ${player} login · [^]*?client_quit: 1 match,`, "m"));
  const drawn = (name: string) => output.match(new RegExp(`─ ${name} `, "g")) ?? [];
  expect(drawn("gamelift\\.activate_game_session")).toHaveLength(1);
  expect(drawn("gamelift\\.accept_player_session")).toHaveLength(players.length);
  expect(output).not.toMatch(/agones/i);
  expect(output.split("\n").filter((line) => line.length > 100)).toEqual([]);
});

test("--cold shows the refusals, and the boot on the axis of whoever waits for it", { timeout: 60_000 }, async () => {
  const { output } = await play(["--once", "--cold"]);
  expect(output).toContain("! refused: unallocated");
  const table = output.slice(output.indexOf("wait: from the request for a server to the arena in "));
  const rows = table
    .split("\n")
    .flatMap((line) => line.match(/^ {2}(\S+( arena)?) +[\d.]+ m?s +[\d.]+ m?s/)?.[1] ?? []);
  expect([rows[0], rows.at(-1)]).toEqual(["provision.allocate_server", "room.join arena"]);
  const between = ["provision.wait_for_ready", "gameserver.boot", "gameserver.allocated", "gameserver.map_load"];
  expect(rows).toEqual(expect.arrayContaining(between));
});

test.each([
  ["--cold", []],
  ["--reused", ["bob: gameserver.allocated: missing"]],
])("%s names the link that is missing when nobody reads the annotation", { timeout: 60_000 }, async (way, more) => {
  const { code, output } = await play(["--once", way, "--zero-code"], { COLYSEUS_OTEL_ANNOTATIONS: "another" });
  expect(code).toBe(1);
  const link = "gameserver.allocated: not a child of provision.agones_allocate (it has no parent)";
  for (const line of [link, ...more]) expect(output).toContain(`\n  ${line}\n`);
});

test.each(["gamelift", "none"])(
  "--orchestrator %s with --trust ignore names the missing links",
  { timeout: 60_000 },
  async (name) => {
    const { code, output } = await play(["--once", "--orchestrator", name, "--trust", "ignore"]);
    expect(code).toBe(1);
    expect(output).toContain("\n  matchmake arena: not a child of session.started (it has no parent)\n");
  },
);

test.each(["--cold", "--reused"])("%s beside somebody else's sidecar says what it needs", async (way) => {
  await using foreign = await startSidecar();
  const { code, output } = await play(["--once", way], { AGONES_SDK_GRPC_PORT: String(foreign.port) });
  expect(code).toBe(1);
  expect(output).toContain(`${way} needs an allocation service, and the sidecar is not ours`);
});

test.each([
  ["--cold --reused", "option '--reused' cannot be used with option '--cold'"],
  ["--cold --orchestrator none", "option '--cold' cannot be used with '--orchestrator none'"],
  ["--orchestrator gamelift --reused", "option '--reused' cannot be used with '--orchestrator gamelift'"],
  ["--orchestrator gamelift --zero-code", "option '--zero-code' cannot be used with '--orchestrator gamelift'"],
  ["--orchestrator none --reused", "option '--reused' cannot be used with '--orchestrator none'"],
  ["--orchestrator nomad", "argument 'nomad' is invalid. Allowed choices are agones, gamelift, none."],
])("%s exits 2 with one line", async (args, error) => {
  const { code, output } = await play(args.split(" "));
  expect({ code, lines: output.trim().split("\n") }).toEqual({ code: 2, lines: [expect.stringContaining(error)] });
});

test("--help fits 100 columns", async () => {
  const { code, output } = await play(["--help"]);
  expect(code).toBe(0);
  expect(output).toContain("--orchestrator <name>");
  expect(output.split("\n").filter((line) => line.length > 100)).toEqual([]);
});
