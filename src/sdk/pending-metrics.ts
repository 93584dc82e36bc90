import type { Meter, MeterOptions, MeterProvider, MetricOptions, Observable } from "@opentelemetry/api";
import { warn } from "../internal/report.ts";

const MAX_PENDING = 10_000;

type Create = (meter: Meter) => object;
type Call = readonly [method: string, args: readonly unknown[]];

/**
 * The meter provider that is registered at once. The metrics API has no proxy: an instrument made before a provider is
 * there is a no-op for ever. Ours keeps its calls until the SDK is loaded, then hands on.
 */
export class PendingMeterProvider implements MeterProvider {
  readonly #instruments: PendingInstrument[] = [];
  #real: MeterProvider | undefined;
  #calls = 0;

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    return (
      this.#real?.getMeter(name, version, options) ??
      this.#pendingMeter((real) => real.getMeter(name, version, options))
    );
  }

  /** Makes the instruments for real, and replays their calls. */
  replayInto(real: MeterProvider): void {
    this.#real = real;
    for (const instrument of this.#instruments.splice(0)) {
      instrument.replay();
    }
  }

  #pendingMeter(realMeter: (provider: MeterProvider) => Meter): Meter {
    let real: Meter | undefined;
    const meterNow = () => (real ??= this.#real && realMeter(this.#real));
    const make = (create: Create) => {
      const meter = meterNow();
      return meter
        ? create(meter)
        : this.#keep(
            new PendingInstrument(
              () => create(meterNow()!),
              () => this.#room(),
            ),
          );
    };
    const maker = (method: keyof Meter) => (name: string, options?: MetricOptions) =>
      make((meter) => (meter[method] as (name: string, options?: MetricOptions) => object)(name, options));
    const batch =
      (method: "addBatchObservableCallback" | "removeBatchObservableCallback") =>
      (callback: never, observables: Observable[]) => {
        const meter = meterNow();
        if (meter) {
          meter[method](callback, observables.map(realOf));
        } else {
          this.#keep(
            new PendingInstrument(
              () => ({ run: () => meterNow()![method](callback, observables.map(realOf)) }),
              () => true,
            ),
          ).call("run", []);
        }
      };
    return {
      createGauge: maker("createGauge"),
      createHistogram: maker("createHistogram"),
      createCounter: maker("createCounter"),
      createUpDownCounter: maker("createUpDownCounter"),
      createObservableGauge: maker("createObservableGauge"),
      createObservableCounter: maker("createObservableCounter"),
      createObservableUpDownCounter: maker("createObservableUpDownCounter"),
      addBatchObservableCallback: batch("addBatchObservableCallback"),
      removeBatchObservableCallback: batch("removeBatchObservableCallback"),
    } as Meter;
  }

  #keep(instrument: PendingInstrument): PendingInstrument {
    this.#instruments.push(instrument);
    return instrument;
  }

  #room(): boolean {
    this.#calls += 1;
    if (this.#calls > MAX_PENDING) {
      warn(
        "pending metrics",
        `more than ${MAX_PENDING} measurements before the SDK was loaded: the rest of them is lost`,
      );
      return false;
    }
    return true;
  }
}

/** Any instrument: what is called on it is kept, then replayed, then handed on. */
class PendingInstrument {
  readonly #create: () => object;
  readonly #room: () => boolean;
  #calls: Call[] = [];
  real: object | undefined;

  constructor(create: () => object, room: () => boolean) {
    this.#create = create;
    this.#room = room;
  }

  replay(): void {
    this.real = this.#create();
    for (const [method, args] of this.#calls) {
      this.call(method, args);
    }
    this.#calls = [];
  }

  call(method: string, args: readonly unknown[]): void {
    if (this.real) {
      (this.real as Record<string, (...args: readonly unknown[]) => void>)[method]!(...args);
    } else if (this.#room()) {
      this.#calls.push([method, args]);
    }
  }

  add(...args: unknown[]): void {
    this.call("add", args);
  }

  record(...args: unknown[]): void {
    this.call("record", args);
  }

  addCallback(...args: unknown[]): void {
    this.call("addCallback", args);
  }

  removeCallback(...args: unknown[]): void {
    this.call("removeCallback", args);
  }
}

function realOf(observable: Observable): Observable {
  return observable instanceof PendingInstrument ? ((observable.real ?? observable) as Observable) : observable;
}
