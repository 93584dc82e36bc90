import { readFileSync } from "node:fs";
import { join } from "node:path";

export function pageText(page: string): string {
  return readFileSync(join(import.meta.dirname, "../docs", page), "utf8");
}

/** The code blocks of a page by what the comment above them says: `<!-- ${mark}: ${name} -->`. */
export function documented(page: string, mark: string): Map<string, string> {
  const blocks = pageText(page).matchAll(/<!-- ([^\n]+): ([^\n]+) -->\n```\w*\n([^]*?)```/g);
  return new Map([...blocks].flatMap(([, said, name, code]) => (said === mark ? [[name!, code!] as const] : [])));
}

/**
 * Each line of a drawn tree with the lines above it: `a > b > c`. Signs, bars, times and ids are left out, and of those
 * that are there twice one.
 */
export function pathsOf(tree: string): Set<string> {
  const above: string[] = [];
  const paths = tree
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, signs, text] = /^([\s│├└─]*)(.*)$/.exec(line)!;
      const [name] = text!.split(/\s{2,}| in trace /);
      above.splice(Math.ceil(signs!.length / 3), Infinity, name!);
      return above.join(" > ");
    });
  return new Set(paths);
}
