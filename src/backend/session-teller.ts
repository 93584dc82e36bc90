import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import { warn } from "../internal/report.ts";
import { createTeller, type SearchingTeller } from "../telling/teller.ts";

export interface SessionTeller {
  readonly teller: SearchingTeller;
  /** Says once that there is no SDK. */
  readonly missSdk: () => void;
}

/**
 * One teller for each pair of providers: instruments are made once, not at each login. Keyed by the providers that the
 * caller named; for the global ones the teller itself looks, each time until they are there.
 */
const GLOBAL = {};
const tellers = new WeakMap<object, WeakMap<object, SessionTeller>>();

export function sessionTeller(
  tracerProvider: TracerProvider | undefined,
  meterProvider: MeterProvider | undefined,
): SessionTeller {
  const byMeter = tellers.get(tracerProvider ?? GLOBAL) ?? new WeakMap<object, SessionTeller>();
  tellers.set(tracerProvider ?? GLOBAL, byMeter);
  const known = byMeter.get(meterProvider ?? GLOBAL) ?? newTeller(tracerProvider, meterProvider);
  byMeter.set(meterProvider ?? GLOBAL, known);
  known.teller.look();
  return known;
}

function newTeller(
  tracerProvider: TracerProvider | undefined,
  meterProvider: MeterProvider | undefined,
): SessionTeller {
  const teller = createTeller({ tracerProvider, meterProvider, readings: new Map() });
  // Nothing waits for an SDK: the carrier has gone out without its ids, and the game server tells the root instead.
  teller.giveUp();
  let said = false;
  return {
    teller,
    missSdk() {
      if (!said) {
        said = true;
        warn(
          "session sdk",
          "startSession: no OpenTelemetry SDK is registered, so the login is not told and game servers begin the trace: " +
            'call startTelemetry({ load: "now" }) from colyseus-otel/sdk, or start your own.',
        );
      }
    },
  };
}
