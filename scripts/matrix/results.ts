import { readFile, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Counts } from "../vitest-report.ts";
import type { Line } from "./lines.ts";

type Head = Pick<Line, "name" | "title" | "doc" | "versions">;

/** What came out when this line was run last. */
export interface Result extends Head {
  /** The version of Node. */
  readonly node: string;
  /** Absent as long as the line was never run with these versions. */
  readonly tests?: Pick<Counts, "passed" | "failed">;
}

const PATH = new URL("../../test/matrix/results.json", import.meta.url);

export async function readResults(): Promise<readonly Result[]> {
  return JSON.parse(await readFile(PATH, "utf8")) as Result[];
}

/** The other lines keep what they had, unless it was of other versions. */
export async function writeResult(lines: readonly Line[], ran: Counts & { readonly line: Line }): Promise<void> {
  const before = await readResults();
  const results = lines.map(({ name, title, doc, versions }): Result => {
    const head = { name, title, doc, versions, node: versions["node"] ?? process.versions.node };
    if (name === ran.line.name) {
      return { ...head, tests: { passed: ran.passed, failed: ran.failed } };
    }
    const same = (old: Result) =>
      old.name === name && old.node === head.node && isDeepStrictEqual(old.versions, versions);
    const tests = before.find(same)?.tests;
    return tests ? { ...head, tests } : head;
  });
  await writeFile(PATH, `${JSON.stringify(results, null, 2)}\n`);
}
