import { vi } from "vitest";
import type { Cluster } from "./_cluster.ts";

/** How A tells the one request: type of its error, status of its span. */
export function requestOf({ a }: Cluster, room: string) {
  const { attributes, status } = a.recorded.one(`matchmake ${room}`);
  return [attributes["error.type"], status.code];
}

/** How often A asked for a seat. */
export function tries({ wire }: Cluster): number {
  return wire.said.filter(({ message }) => String(message).startsWith("_reserveSeat")).length;
}

/** Until `vi.restoreAllMocks()`. Between its tries core waits for a random time, of up to 12 s before the sixth. */
export function withoutDelays(): void {
  vi.spyOn(Math, "random").mockReturnValue(0);
}
