import { describe, warn } from "../../internal/report.ts";
import { isRefusal, type Sidecar } from "./sidecar.ts";

const CALL_MS = 5000;
const AGAIN_MS = 5000;

/**
 * Annotations of the server's own, which Agones shows as `agones.dev/sdk-<key>`. Not before Ready: the sidecar patches one
 * version of the GameServer, and a Ready() that meets another waits for its next turn, half a second later.
 */
export interface HandBack {
  set(values: Readonly<Record<string, string>>): void;
  /** A sidecar that died may have had them in its queue. */
  again(): void;
  close(): void;
}

export function createHandBack(sidecar: Pick<Sidecar, "setAnnotation">): HandBack {
  const wanted = new Map<string, string>();
  let closed = false;
  let later: NodeJS.Timeout | undefined;

  async function send(key: string, value: string): Promise<void> {
    try {
      await sidecar.setAnnotation(key, value, CALL_MS);
    } catch (error) {
      if (isRefusal(error)) {
        warn("agones annotation", `the annotation agones.dev/sdk-${key} was refused: ${describe(error)}`);
      } else if (!closed) {
        // Pings and watch say that the sidecar is away.
        clearTimeout(later);
        later = setTimeout(sendAll, AGAIN_MS).unref();
      }
    }
  }

  const sendAll = () => wanted.forEach((value, key) => void send(key, value));
  return {
    set(values) {
      Object.entries(values).forEach(([key, value]) => wanted.set(key, value));
      sendAll();
    },
    again: sendAll,
    close() {
      closed = true;
      clearTimeout(later);
    },
  };
}
