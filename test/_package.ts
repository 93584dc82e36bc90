import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const SHIPPED = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "src"];
const NEEDED = ["tsconfig.json", "tsconfig.build.json", "scripts/build.ts"];

/** A copy of the package with a dist of its own: nothing stale in it, and nobody else's dist is touched. */
export interface BuiltPackage extends AsyncDisposable {
  readonly directory: string;
  /** Paths that npm would publish. */
  published(): Promise<string[]>;
  /** Packs it as npm would publish it, and has a program of node_modules/.bin look at the tarball; rejects when it fails. */
  inspect(program: string, ...args: readonly string[]): Promise<string>;
  /** Runs an ES module beside the package's package.json, so that `colyseus-otel` is the built one; gives its JSON output. */
  run<Result>(code: string): Promise<Result>;
}

export async function buildPackage(): Promise<BuiltPackage> {
  const directory = await mkdtemp(join(tmpdir(), "colyseus-otel-"));
  // README and the like are checked by published(), not by the copying.
  await Promise.all(
    [...SHIPPED, ...NEEDED].map((path) =>
      cp(join(root, path), join(directory, path), { recursive: true }).catch(() => {}),
    ),
  );
  await symlink(join(root, "node_modules"), join(directory, "node_modules"), "dir");
  const start = (file: string, args: readonly string[]) => execute(file, args, { cwd: directory });
  await start("npm", ["run", "--silent", "build"]);
  return {
    directory,
    async published() {
      const { stdout } = await start("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]);
      const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
      return packed.files.map(({ path }) => path).toSorted();
    },
    async inspect(program, ...args) {
      const { stdout: packed } = await start("npm", ["pack", "--json", "--ignore-scripts"]);
      const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
      const { stdout } = await start(join(root, "node_modules/.bin", program), [filename, ...args]);
      return stdout;
    },
    async run<Result>(code: string) {
      const { stdout } = await start(process.execPath, ["--input-type=module", "--eval", code]);
      return JSON.parse(stdout) as Result;
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
