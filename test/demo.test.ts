import { describe, expect, test } from "vitest";
import { CAST } from "../demo/expected.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { HOWS, play } from "./_demo.ts";

describe.each(HOWS)("the demo of a game $how", ({ args }) => {
  test("is drawn, said to be whole, and exits 0", { timeout: 60_000 }, async () => {
    const { code, output } = await play(["--once", ...args]);
    expect(code, output).toBe(0);
    for (const { name, optional } of CAST[0].story) {
      if (!optional) expect(output).toContain(name);
    }
    expect(output.split("\n").filter((line) => /^ {2}(bob|kim|ned|fay|eve) /.test(line))).toEqual([
      expect.stringMatching(/^ {2}bob [0-9a-f]{8} client_quit \(graceful\) .*in_game [\d.]+ m?s$/),
      expect.stringMatching(/^ {2}kim [0-9a-f]{8} kicked \(enforcement\) .*in_game [\d.]+ m?s$/),
      expect.stringMatching(
        /^ {2}ned [0-9a-f]{8} timeout \(connection_failure\) .*in_game [\d.]+ m?s, reconnecting [\d.]+ s$/,
      ),
      expect.stringMatching(/^ {2}fay [0-9a-f]{8} refused: room_full .*matchmake [\d.]+ ms$/),
      expect.stringMatching(/^ {2}eve [0-9a-f]{8} refused: auth_failed .*matchmake [\d.]+ ms$/),
    ]);
    expect(sessionLine(output)).toBe(
      "ann login · lobby T · loading T · crossfire T (dropped T) · lobby T · loading T · crossfire T · logout: 2 matches, T",
    );
    expect(output).not.toContain("\u001B[");
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("with --trust ignore exits 1 and names the missing links", { timeout: 60_000 }, async () => {
    const { code, output } = await play(["--once", "--trust", "ignore", ...args]);
    expect(code).toBe(1);
    expect(output).toContain("matchmake arena: not a child of session.started (it has no parent)");
    expect(output).toContain("room.on_leave arena: not a child of session.started (but of arena-server's");
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

test("beside somebody else's sidecar nothing is allocated, and that is said", { timeout: 60_000 }, async () => {
  await using foreign = await startSidecar();
  const { code, output } = await play(["--once"], { AGONES_SDK_GRPC_PORT: String(foreign.port) });
  expect(code).toBe(1);
  expect(output).toContain("it is not ours, so there is no allocation service");
  expect(output).toContain("provision.allocate_server: missing");
  expect(output).toMatch(/ann +left after/);
});

test("an endpoint that nobody listens on is said, and exits 1", { timeout: 60_000 }, async () => {
  const { code, output } = await play(["--once"], { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  expect(code).toBe(1);
  expect(output).toContain("cannot export to http://127.0.0.1:9");
});

test("an option that is not known exits 2 and says which", async () => {
  expect(await play(["--onec"])).toMatchObject({ code: 2, output: expect.stringContaining("unknown option '--onec'") });
});

/** In one line, without its times. */
function sessionLine(output: string): string | undefined {
  const [line] = output.match(/^ {2}ann login[^]*?(?=\n\n)/m) ?? [];
  return line
    ?.trim()
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\d.]+ m?s\b/g, "T");
}
