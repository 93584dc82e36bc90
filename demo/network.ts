import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** The stretch of network between one player and the game: a TCP relay, which can be cut. */
export interface Network {
  /** `ws://host:port`: what goes in there comes out at the game. */
  readonly url: string;
  /** Every connection breaks off, without a word to either side; new ones work. */
  interrupt(): void;
  /** As `interrupt`, and for good. */
  cut(): void;
}

/** @param game `ws://host:port` */
export async function layNetwork(game: string): Promise<Network> {
  const { hostname, port } = new URL(game);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const both = [near, far] as const;
    near.pipe(far).pipe(near);
    for (const socket of both) {
      sockets.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        for (const other of both) other.destroy();
      });
      // "close" follows.
      socket.on("error", () => {});
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const interrupt = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interrupt,
    cut: () => {
      server.close();
      interrupt();
    },
  };
}
