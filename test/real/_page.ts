import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { rolldown } from "rolldown";

export interface ServedPage extends AsyncDisposable {
  readonly url: string;
}

/** test/real/page as a game's bundler makes it, on an origin of its own: another host and another port than the game's. */
export async function servePage(): Promise<ServedPage> {
  const script = await bundled();
  const server = createServer((request, response) => {
    const isScript = request.url === "/main.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : `<!doctype html><script src="/main.js"></script>`);
  }).listen(0);
  await once(server, "listening");
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function bundled(): Promise<string> {
  await using build = await rolldown({ input: join(import.meta.dirname, "page/main.ts"), platform: "browser" });
  const { output } = await build.generate({ format: "iife" });
  return output[0].code;
}
