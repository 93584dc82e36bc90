import { execFileSync } from "node:child_process";

/** Programs of their own (the demo, the example) import the package by its name, and so what is built. */
export function setup(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
}
