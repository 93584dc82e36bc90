import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Ran } from "../command.ts";
import type { Line } from "./lines.ts";
import { FOLDERS, SUITE, TOOLS } from "./suite.ts";

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: object;
  readonly allowScripts: object;
}

const root = join(import.meta.dirname, "../..");

/** Packs the package as npm would publish it: its path. */
export async function pack(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { passed, output } = await command(["npm", "pack", "--pack-destination", folder], root);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  if (!passed || tarball === undefined) {
    throw new Error(`npm pack made no package:\n${output}`);
  }
  return join(folder, tarball);
}

/** A user's project with the packed package beside the line's versions, and the suite as its tests. */
export async function createProject(folder: string, line: Line, tarball: string): Promise<Ran> {
  await mkdir(folder);
  const ours = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
  const tools = Object.fromEntries(TOOLS.map((name) => [name, ours.devDependencies[name]]));
  const manifest = {
    name: line.project,
    private: true,
    type: "module",
    dependencies: { ...tools, ...line.versions, "colyseus-otel": `file:${tarball}` },
    overrides: ours.overrides,
    allowScripts: ours.allowScripts,
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  await copySuite(folder);
  for (const { path, from = path, rename = ["", ""] } of line.changes) {
    const text = await readFile(join(root, from), "utf8");
    await writeFile(join(folder, path), text.replace(rename[0], rename[1]));
  }
  return command(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"], folder);
}

async function copySuite(folder: string): Promise<void> {
  const helpers = (await readdir(join(root, "test"))).filter((name) => name.startsWith("_"));
  const tests = SUITE.map((name) => `${name}.test.ts`);
  const paths = [...FOLDERS, ...[...helpers, ...tests].map((name) => `test/${name}`)];
  await Promise.all(paths.map((path) => cp(join(root, path), join(folder, path), { recursive: true })));
}
