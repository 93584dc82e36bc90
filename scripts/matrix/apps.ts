import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Ran } from "../command.ts";

/** A game server that others wrote, as it is at this commit, which is its checksum. */
export interface App {
  readonly name: string;
  readonly title: string;
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  /** What node is called with, beside the preload. */
  readonly args: readonly string[];
  readonly room: string;
}

export const APPS: readonly App[] = [
  {
    name: "app-starter",
    title: "The starter template of `create-colyseus-app` 0.17.1, on `@colyseus/tools`",
    repository: "https://github.com/colyseus/create-colyseus-app",
    commit: "1b968ddeff853d2144655263113ab729d22143fc",
    folder: "templates/esm",
    args: ["src/index.js"],
    room: "my_room",
  },
  {
    name: "app-cards",
    title: "Colyseus' turn-based cards demo, on `tsx`",
    repository: "https://github.com/colyseus/turnbased-cards-demo",
    commit: "55b45de667e2ae1a4728438ce5319d5cdebd1db0",
    folder: "server",
    args: ["--import", "tsx", "src/index.ts"],
    room: "uno",
  },
];

const root = join(import.meta.dirname, "../..");

/**
 * Fetches the app, and installs it and the packed package by the README's own line. Of the app nothing is changed but
 * that package.json leaves out uWebSockets.js, which it does not use and which npm would build from a git host.
 */
export async function createApp(folder: string, app: App, tarball: string): Promise<Ran> {
  await mkdir(folder);
  const git = (...args: readonly string[]) => command(["git", "-C", folder, ...args], root);
  await git("init", "--quiet");
  const fetched = await git("fetch", "--quiet", "--depth=1", app.repository, app.commit);
  if (!fetched.passed) {
    return { ...fetched, output: `${fetched.output}\nno such git host? leave it out: --without ${app.name}` };
  }
  await git("checkout", "--quiet", app.commit);
  const home = join(folder, app.folder);
  const manifest = join(home, "package.json");
  const theirs = JSON.parse(await readFile(manifest, "utf8")) as object;
  const ours = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { overrides: object };
  await writeFile(manifest, JSON.stringify({ ...theirs, overrides: ours.overrides }));
  const [, line] = /```sh\n(npm install colyseus-otel [^`]*)```/.exec(await readFile(join(root, "README.md"), "utf8"))!;
  const ourLine = line!.replace("colyseus-otel", `--no-audit --no-fund "${tarball}"`);
  return command(["bash", "-c", `npm install --no-audit --no-fund && ${ourLine}`], home);
}
