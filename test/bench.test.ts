import fc from "fast-check";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { figureIn, judge, only, type BarSpec } from "../bench/bar.ts";
import { pageWith, pictureOfBars, pictureOfGrowth } from "../bench/docs.ts";
import type { Results } from "../bench/results.ts";
import { estimate, median, shuffled } from "../bench/statistics.ts";
import { barRows, TABLES, textTable, verdictOf } from "../bench/table.ts";

const RATIO: BarSpec = { name: "boot", what: "process start to Ready", unit: "ms", judged: "ratio", target: 1.05 };
const DIFFERENCE: BarSpec = { ...RATIO, judged: "difference", target: 20 };
const VALUE: BarSpec = { ...RATIO, judged: "value", target: 5 };

describe("a bar of the bench", () => {
  test("is judged by the median ratio within the rounds, against the mean of both bare runs", () => {
    const bar = judge(RATIO, [
      { ours: 110, bare: 90, again: 110 },
      { ours: 208, bare: 200, again: 200 },
      { ours: 51, bare: 50, again: 50 },
    ]);
    expect(bar).toMatchObject({ ours: 110, bare: 100, ratio: 1.04, difference: 8, holds: true, noise: 1, rounds: 3 });
  });

  test("cancels out what the machine does between two rounds", () => {
    const bar = judge(RATIO, [
      { ours: 104, bare: 100 },
      { ours: 1040, bare: 1000 },
    ]);
    expect(bar.spread.figure).toEqual([1.04, 1.04]);
  });

  test("holds at its target, and not a thousandth above", () => {
    expect(judge(RATIO, [{ ours: 1.05, bare: 1 }]).holds).toBe(true);
    expect(judge(RATIO, [{ ours: 1.051, bare: 1 }]).holds).toBe(false);
  });

  test("whose interval includes the target says so, whichever way its median falls", () => {
    const said = (...ratios: number[]) =>
      verdictOf(
        judge(
          RATIO,
          ratios.map((ours) => ({ ours, bare: 1 })),
        ),
      );
    expect(said(1.01, 1.02, 1.03)).toBe("yes");
    expect(said(1.01, 1.02, 1.2)).toBe("yes?");
    expect(said(1.01, 1.1, 1.2)).toBe("no?");
    expect(said(1.1, 1.2, 1.3)).toBe("no");
  });

  test("of a difference has its noise between the two bare runs", () => {
    const bar = judge(DIFFERENCE, [{ ours: 24, bare: 4, again: 6, "by-hand": 30 }]);
    expect(bar).toMatchObject({ difference: 19, holds: true, noise: -2, spread: { figure: [19, 19] } });
    expect(bar.peers["by-hand"]).toEqual({ value: 30, figure: 25, spread: [25, 25] });
    expect(figureIn(bar)).toBe(19);
  });

  test("without a bare server stands for itself, and knows neither ratio nor noise", () => {
    const bar = judge(VALUE, [{ ours: 4.5, "by-hand": 9 }]);
    expect(bar).toMatchObject({ ours: 4.5, bare: null, ratio: null, difference: null, noise: null, holds: true });
    expect(bar.peers).toEqual({ "by-hand": { value: 9, figure: 9, spread: [9, 9] } });
  });

  test("of another subject counts that one as ours, and nobody else's figures when they are left out", () => {
    const rounds = [{ "ours-10": 102, ours: 150, bare: 100, "by-hand": 120 }];
    const bar = judge({ ...RATIO, subject: "ours-10" }, only(rounds, ["ours-10", "bare", "by-hand"]));
    expect(bar).toMatchObject({ ours: 102, ratio: 1.02 });
    expect(Object.entries(bar.peers)).toEqual([["by-hand", expect.objectContaining({ figure: 1.2 })]]);
  });
});

describe("the statistics of the bench", () => {
  test("take the middle value, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow("no values");
  });

  test("put the median inside its interval, and the interval inside the values", () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, (given) => {
        const { median, low, high } = estimate(given);
        expect(low).toBeLessThanOrEqual(high);
        expect(median).toBeGreaterThanOrEqual(Math.min(...given));
        expect(median).toBeLessThanOrEqual(Math.max(...given));
        expect(low).toBeGreaterThanOrEqual(Math.min(...given));
        expect(high).toBeLessThanOrEqual(Math.max(...given));
      }),
      { numRuns: 50 },
    );
  });

  test("shuffle without losing or doubling anybody", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (given) => {
        expect(shuffled(given).toSorted(ascending)).toEqual(given.toSorted(ascending));
      }),
    );
  });
});

describe("what the bench shows", () => {
  const results = JSON.parse(readFileSync(new URL("../bench/results.json", import.meta.url), "utf8")) as Results;

  test("fits a hundred columns", () => {
    const table = textTable(TABLES.bars, barRows(results.bars), (line) => line);
    expect(Math.max(...table.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test("is the same in bench/results.json, docs/performance.md and the pictures", () => {
    const doc = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");
    expect(pageWith(doc("performance.md"), results)).toBe(doc("performance.md"));
    expect(pictureOfBars(results)).toBe(doc("performance.svg"));
    expect(pictureOfGrowth(results)).toBe(doc("performance-growth.svg"));
  });
});

describe("npm run bench", () => {
  test("explains itself with --help, inside a hundred columns", () => {
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("--only <parts>");
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test.for([
    ["--fast", "unknown option '--fast'"],
    ["--only=boot,ping", '"ping" is no part'],
    ["--rounds=0", "A whole number from 1 is needed"],
    ["--write-docs --quick", "--write-docs needs the full run"],
  ])("ends with 2 and says why at %s", ([given, why]) => {
    const { status, stderr, stdout } = run(...given!.split(" "));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/^bench: /);
  });
});

function ascending(a: number, b: number): number {
  return a - b;
}

function run(...args: string[]) {
  const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url));
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
}
