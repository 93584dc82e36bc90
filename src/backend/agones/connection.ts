import { unlessAborted } from "../patience.ts";
import { isBroken } from "./answer.ts";
import { loadGrpc, type AllocationClient, type LoadedGrpc } from "./grpc.ts";
import type { AgonesTls } from "./options.ts";
import type { AllocateRequest, AllocateResponse } from "./protocol.ts";

export interface Connection {
  /** One call. Rejects with gRPC's error, or with the signal's reason. `left` is milliseconds. */
  call(request: AllocateRequest, left: () => number, signal: AbortSignal): Promise<AllocateResponse>;
  close(): void;
}

interface Opened {
  readonly client: AllocationClient;
  calls: number;
  retired: boolean;
}

/**
 * One channel for all calls, which is given up when a call says that it is broken: gRPC itself would go on connecting in
 * the background for ever, and would let the next call fail unasked while it pauses for up to two minutes. What grpc-js
 * 1.14 does not close is a connection to a peer that accepted it and says nothing: it stays until the peer ends it.
 */
export function createConnection(endpoint: string, tls: AgonesTls | undefined): Connection {
  const loading = loadGrpc();
  loading.catch(() => {});
  let current: Opened | undefined;

  function retire(opened: Opened): void {
    opened.retired = true;
    current = current === opened ? undefined : current;
    closeUnused(opened);
  }

  return {
    async call(request, left, signal) {
      const grpc = await unlessAborted(loading, signal);
      current ??= { client: openClient(grpc, endpoint, tls), calls: 0, retired: false };
      const opened = current;
      opened.calls += 1;
      try {
        return await unary(opened.client, request, Date.now() + left(), signal);
      } catch (error) {
        if (isBroken(error)) {
          retire(opened);
        }
        throw error;
      } finally {
        opened.calls -= 1;
        closeUnused(opened);
      }
    },
    close() {
      if (current) {
        retire(current);
      }
    },
  };
}

function closeUnused({ client, calls, retired }: Opened): void {
  if (retired && calls === 0) {
    client.close();
  }
}

function openClient(
  { credentials, Client }: LoadedGrpc,
  endpoint: string,
  tls: AgonesTls | undefined,
): AllocationClient {
  const security = tls ? credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert)) : credentials.createInsecure();
  return new Client(endpoint, security, {
    ...(tls?.serverName && { "grpc.ssl_target_name_override": tls.serverName }),
  });
}

function pem(part: string | Uint8Array | undefined): Buffer | null {
  return part === undefined ? null : Buffer.from(part);
}

function unary(
  client: AllocationClient,
  request: AllocateRequest,
  deadline: number,
  signal: AbortSignal,
): Promise<AllocateResponse> {
  return new Promise((resolve, reject) => {
    const cancel = () => call.cancel();
    const call = client.Allocate(request, { deadline }, (error, response) => {
      signal.removeEventListener("abort", cancel);
      if (error) {
        reject(error);
      } else {
        resolve(response);
      }
    });
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) {
      cancel();
    }
  });
}
