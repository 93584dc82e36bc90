// Vite's dev server with Colyseus in it, as `npx vite` would start it; says over IPC when it serves, and where.
import { colyseus } from "colyseus/vite";
import { createServer } from "vite";

const vite = await createServer({
  configFile: false,
  root: process.argv[2]!,
  logLevel: "error",
  server: { port: 0, host: "127.0.0.1" },
  plugins: [colyseus({ serverEntry: "/server.ts" })],
});
await vite.listen();
process.send!({ type: "app:listening", url: vite.resolvedUrls!.local[0] });
