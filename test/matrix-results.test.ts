import { expect, test } from "vitest";
import { LINES, type Line } from "../scripts/matrix/lines.ts";
import { readResults } from "../scripts/matrix/results.ts";

test("the README's table is of the lines that there are, at the versions that they have now", async () => {
  const results = await readResults();
  const heads = ({ name, title, doc, versions }: Pick<Line, "name" | "title" | "doc" | "versions">) => ({
    name,
    title,
    doc,
    versions,
  });
  expect(results.map(heads)).toEqual(LINES.map(heads));
});
