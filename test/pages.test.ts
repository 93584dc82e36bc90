import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { FORCED_PER_SECOND } from "../src/propagation/gate.ts";
import { TRUSTS } from "../src/propagation/trust.ts";
import { pageText } from "./_documented.ts";

const root = resolve(import.meta.dirname, "..");
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  // A message may be written as several texts, one after the other; and a comment is none.
  .map((source) => source.replaceAll(/\/\*\*[^]*?\*\/|^ *\/\/.*$/gm, "").replaceAll(/["`] \+\s+["`]/g, ""))
  .join("\n");
const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));

test("each message that the page on troubleshooting quotes stands in src, word for word", () => {
  const quotes = [...pageText("troubleshooting.md").matchAll(/^> (.+)$/gm)].map(([, text]) => text!);
  expect(quotes.length).toBeGreaterThan(10);
  const unknown = quotes.filter((quote) => !isSaid(quote));
  expect(unknown).toEqual([]);
});

test.each(["troubleshooting.md", "security.md", "reading-a-trace.md", "getting-started.md"])(
  "each metric, span, attribute and variable of %s is one of ours",
  (name) => {
    const known = pageText("spans.md") + pageText("metrics.md") + sources;
    const code = [...pageText(name).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
    const names = code.filter((text) =>
      /^(colyseus|game|gameserver|session|otel|room)\.\w|^(COLYSEUS_)?OTEL_(?!EXPORTER_OTLP)/.test(text),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((text) => !known.includes(text.split("=")[0]!))).toEqual([]);
  },
);

test("the page on security has a line for each way to trust, and the limit that holds without signatures", () => {
  const page = pageText("security.md");
  for (const trust of TRUSTS) {
    expect(page).toMatch(new RegExp(`^\\|[^|]*\`"${trust}"\``, "m"));
  }
  expect(page).toContain(`order ${FORCED_PER_SECOND} sampled traces a second`);
});

test.each(pages)("each link of %s leads somewhere", (name) => {
  const links = [...pageText(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
  expect(links.filter((to) => !to.startsWith("https:") && !leads(name, to))).toEqual([]);
});

/** `…` stands for what differs each time, or is put together from several places. */
function isSaid(quote: string): boolean {
  const parts = quote.split("…").map((part) => part.replaceAll(/^[\s).,:]+|[\s(:]+$/g, ""));
  return parts.every((part) => sources.includes(part));
}

function leads(from: string, to: string): boolean {
  const [path, heading] = to.split("#");
  const file = path ? join(root, "docs", path) : join(root, "docs", from);
  return existsSync(file) && (heading === undefined || headingsOf(readFileSync(file, "utf8")).includes(heading));
}

/** As GitHub names them. */
function headingsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.toLowerCase());
  return headings.map((heading) => heading.replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-"));
}
