export interface Check {
  readonly name: string;
  readonly doc: string;
  readonly command: readonly [string, ...string[]];
}

/** What `npm run verify` runs, in this order. */
export const CHECKS: readonly Check[] = [
  { name: "format", doc: "oxfmt", command: ["oxfmt", "--check"] },
  {
    name: "lint",
    doc: "oxlint with types: mistakes, import directions, cycles",
    command: ["oxlint", "--deny-warnings", "src", "test", "demo", "standins", "example-server", "scripts", "bench"],
  },
  { name: "types", doc: "tsc on everything", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "types-api-1.9", doc: "tsc on the core, against api 1.9", command: ["tsc", "-p", "tsconfig.api-1-9.json"] },
  { name: "docs", doc: "generated pages are up to date", command: ["node", "scripts/docs.ts", "--check"] },
  { name: "build", doc: "dist, which the checks below look at", command: ["tsc", "-p", "tsconfig.build.json"] },
  { name: "knip", doc: "dead files, exports, dependencies", command: ["knip", "--no-progress", "--no-config-hints"] },
  { name: "publint", doc: "the package as npm would ship it", command: ["publint", "--strict"] },
  { name: "attw", doc: "its types, as importers find them", command: ["attw", "--pack", ".", "--profile", "esm-only"] },
];
