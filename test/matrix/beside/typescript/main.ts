import { defineRoom, defineServer } from "@colyseus/core";
import type { AddressInfo } from "node:net";
import { Arena } from "./arena.js";

const server = defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false });
await server.listen(0, "127.0.0.1");
const { port } = server.transport.server!.address() as AddressInfo;
process.send!({ type: "app:listening", port });
