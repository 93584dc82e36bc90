import { Client } from "@colyseus/sdk";

/** Joins and leaves `joins` times with the real SDK, `concurrency` players at a time. */
export async function play(url: string, joins: number, concurrency: number): Promise<void> {
  let left = joins;
  const player = async () => {
    const client = new Client(url);
    while (left > 0) {
      left -= 1;
      const room = await client.joinOrCreate("arena", { name: "player" });
      await room.leave();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, player));
}
