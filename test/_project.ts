import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "..");

/** A user's project: a folder of its own, with our packages and the built package in its node_modules. */
export interface Project extends Disposable {
  readonly directory: string;
  load<Module>(file: string): Promise<Module>;
}

export function makeProject(files: Readonly<Record<string, string>>): Project {
  const directory = mkdtempSync(join(tmpdir(), "colyseus-otel-project-"));
  const modules = join(directory, "node_modules");
  mkdirSync(modules);
  for (const entry of readdirSync(join(root, "node_modules"))) {
    if (entry !== "colyseus-otel") {
      symlinkSync(join(root, "node_modules", entry), join(modules, entry));
    }
  }
  symlinkSync(root, join(modules, "colyseus-otel"));
  const manifest = { "package.json": JSON.stringify({ name: "my-game", type: "module" }) };
  for (const [name, text] of Object.entries({ ...manifest, ...files })) {
    writeFileSync(join(directory, name), text);
  }
  return {
    directory,
    load: <Module>(file: string) => import(pathToFileURL(join(directory, file)).href) as Promise<Module>,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
