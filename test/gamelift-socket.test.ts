import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openSocket } from "../src/orchestrators/gamelift/socket.ts";
import { until } from "./_server.ts";

/** A service whose first bytes come in one piece with its handshake. */
async function startHasty(...first: Buffer[]) {
  const server = createServer().on("upgrade", ({ headers }, socket) => {
    const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const handshake = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`;
    socket.on("error", () => {}).write(Buffer.concat([Buffer.from(handshake), ...first]));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

test("a message that comes with the handshake is heard, and not before the socket is there", async () => {
  using service = await startHasty(textFrame("first"), textFrame("second"));
  const heard: unknown[] = [];
  let isThere = false;
  const socket = await openSocket(service.url, 5000, { message: (text) => heard.push([text, isThere]), closed() {} });
  isThere = true;
  await until("both messages", () => heard.length === 2);
  expect(heard).toEqual([
    ["first", true],
    ["second", true],
  ]);
  socket.terminate();
});

test("what comes with the handshake and is no frame ends the connection at once, and not the process", async () => {
  using service = await startHasty(Buffer.from([0xff, 0xff, 0xff]));
  const ends: string[] = [];
  await openSocket(service.url, 5000, { message() {}, closed: (reason) => ends.push(reason) });
  await until("the end", () => ends.length === 1);
  expect(ends).toEqual([expect.stringContaining("Invalid WebSocket frame")]);
});
