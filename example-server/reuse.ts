import { matchMaker } from "@colyseus/core";

/** With `ARENA_REUSE=1`: when the last room is gone, the match is over and the server can be allocated again. */
export function readyAgain(): void {
  const isOver = matchMaker.stats.local.roomCount === 0;
  // A shutdown disposes of the rooms as well, and must not bring the next match.
  if (process.env.ARENA_REUSE === "1" && isOver && matchMaker.state === matchMaker.MatchMakerState.READY)
    void sayReady();
}

// Over the sidecar's HTTP port: this one call needs no SDK.
async function sayReady(): Promise<void> {
  const sidecar = `http://localhost:${process.env.AGONES_SDK_HTTP_PORT ?? 9358}`;
  try {
    const { status } = await fetch(`${sidecar}/ready`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(5_000),
    });
    if (status !== 200) throw new Error(`it answers ${status}`);
  } catch (error) {
    console.error(`the sidecar at ${sidecar} was not told Ready: ${(error as Error).message}`);
  }
}
