import type { ReceivedSpan } from "./receiver.ts";
import { startReceiver } from "./receiver.ts";

/** What the process is asked. */
export type ReceiverRequest = { readonly type: "receiver:ask" };

/** What the process tells: where it listens, and on each question the newest spans that it holds. */
export type ReceiverReport =
  | { readonly type: "receiver:listening"; readonly endpoint: string }
  | { readonly type: "receiver:spans"; readonly spans: readonly ReceivedSpan[] };

function tell(report: ReceiverReport): void {
  process.send?.(report);
}

const receiver = await startReceiver({ keep: 20_000 });
process.on("message", ({ type }: ReceiverRequest) => {
  if (type === "receiver:ask") tell({ type: "receiver:spans", spans: receiver.spans });
});
process.once("SIGTERM", () => void receiver.close().then(() => process.exit(0)));
tell({ type: "receiver:listening", endpoint: receiver.endpoint });
