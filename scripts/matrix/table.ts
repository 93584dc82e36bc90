import type { Result } from "./results.ts";

const [BEGIN, END] = ["<!-- matrix: begin -->", "<!-- matrix: end -->"];
const UWEBSOCKETS = [
  "`@colyseus/uwebsockets-transport`",
  "its dependency comes from a git host, not from npm",
  "",
  "not run",
];

/** The page with these results between its two marks. @throws Error when it has lost them */
export function pageWith(page: string, results: readonly Result[]): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`README.md needs the lines ${BEGIN} and ${END}`);
  }
  return `${before}${BEGIN}\n${table(results)}\n${END}${after}`;
}

function table(results: readonly Result[]): string {
  const rows = results.map((result) => [result.title, result.doc, on(result), said(result)]);
  return [["with", "what ran", "on", "tests"], ["---", "---", "---", "---"], ...rows, UWEBSOCKETS]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function on({ versions, node }: Result): string {
  return `Colyseus ${versions["@colyseus/core"]}, OpenTelemetry ${versions["@opentelemetry/core"]}, Node ${node}`;
}

function said({ tests }: Result): string {
  if (!tests) {
    return "not run";
  }
  return tests.failed > 0 || tests.passed === 0
    ? `**${tests.failed} failed**, ${tests.passed} passed`
    : `${tests.passed} passed`;
}
