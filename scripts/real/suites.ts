import { builtCollector } from "./collector.ts";
import { byVariable, inPath, type Find } from "./program.ts";

export interface Suite {
  readonly name: string;
  readonly doc: string;
  /** Finds the program, and says which one it is. */
  readonly find: Find;
  /** How to get the program. */
  readonly install: string;
  /** @default test/real/<name>*.test.ts */
  readonly tests?: string;
}

/** What `npm run test:real` runs, in this order. */
export const SUITES: readonly Suite[] = [
  {
    name: "collector",
    doc: "a Collector that is built here takes all signals, samples, and is killed",
    find: builtCollector,
    install: "apt-get install golang-go (1.21 or later; Debian 12 has it in bookworm-backports)",
  },
  {
    name: "prometheus",
    doc: "Prometheus scrapes /metrics and answers for it",
    find: inPath("prometheus", "--version"),
    install: "apt-get install prometheus",
  },
  {
    name: "redis",
    doc: "two and three game servers share a Redis",
    find: inPath("redis-server", "--version"),
    install: "apt-get install redis-server",
  },
  {
    name: "chromium",
    doc: "a page joins from a browser",
    find: inPath("chromium", "--version"),
    install: "apt-get install chromium",
  },
  {
    name: "sdk-server",
    doc: "Agones' own sidecar",
    // It has no --version; it logs it when it starts.
    find: byVariable("AGONES_SDK_SERVER", "--local", "--grpc-port=0", "--http-port=0", "--timeout=1"),
    install: "AGONES_SDK_SERVER=path npm run test:real, with sdk-server of an official Agones release",
    tests: "test/agones.test.ts",
  },
];
