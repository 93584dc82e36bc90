import { readFile, writeFile } from "node:fs/promises";

/** What ran of one line, as the README's table has it. */
export interface Result {
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of Node. */
  readonly node: string;
  /** Absent where the line was left out. */
  readonly tests?: { readonly passed: number; readonly failed: number };
}

const PATH = new URL("../../test/matrix/results.json", import.meta.url);

export async function readResults(): Promise<readonly Result[]> {
  return JSON.parse(await readFile(PATH, "utf8")) as Result[];
}

export async function writeResults(results: readonly Result[]): Promise<void> {
  await writeFile(PATH, `${JSON.stringify(results, null, 2)}\n`);
}
