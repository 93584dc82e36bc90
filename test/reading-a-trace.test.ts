import { expect, test } from "vitest";
import { play } from "./_demo.ts";
import { documented, pathsOf } from "./_documented.ts";

test.each([
  ["--once", ["boot", "join", "disconnect"]],
  ["--once --cold", ["cold"]],
])("npm start -- %s still draws each span of the page at its place", { timeout: 60_000 }, async (args, names) => {
  const trees = documented("reading-a-trace.md", `drawn by npm start -- ${args}`);
  expect([...trees.keys()]).toEqual(names);
  const { code, output } = await play(args.split(" "));
  expect(code, output).toBe(0);
  const drawn = pathsOf(output);
  for (const tree of trees.values()) {
    const missing = [...pathsOf(tree)].filter((path) => !drawn.has(path));
    expect(missing, output).toEqual([]);
  }
});
