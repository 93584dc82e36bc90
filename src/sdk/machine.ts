import type { MeterProvider } from "@opentelemetry/api";
import { describe, warn } from "../internal/report.ts";

export interface MachineOptions {
  readonly host: boolean;
  readonly runtime: boolean;
}

/** Has the machine and the runtime measured by OpenTelemetry's own packages. Returns what ends it. Never rejects. */
export async function measureMachine(
  { host, runtime }: MachineOptions,
  meterProvider: MeterProvider,
): Promise<() => void> {
  const undos = [
    host && (await started("host", "@opentelemetry/host-metrics", () => measureHost(meterProvider))),
    runtime &&
      (await started("runtime", "@opentelemetry/instrumentation-runtime-node", () => measureRuntime(meterProvider))),
  ];
  return () => undos.forEach((undo) => undo && undo());
}

async function measureHost(meterProvider: MeterProvider): Promise<() => void> {
  const { HostMetrics } = await import("@opentelemetry/host-metrics");
  new HostMetrics({ meterProvider }).start();
  // Its callbacks are the provider's, and end with it.
  return () => {};
}

async function measureRuntime(meterProvider: MeterProvider): Promise<() => void> {
  const { RuntimeNodeInstrumentation } = await import("@opentelemetry/instrumentation-runtime-node");
  const instrumentation = new RuntimeNodeInstrumentation({ enabled: false });
  instrumentation.setMeterProvider(meterProvider);
  instrumentation.enable();
  return () => instrumentation.disable();
}

async function started(
  option: string,
  name: string,
  start: () => Promise<() => void>,
): Promise<(() => void) | undefined> {
  try {
    return await start();
  } catch (error) {
    warn(
      `sdk ${option}`,
      `startTelemetry({ ${option}: true }) measures nothing: ${describe(error)}. It needs a package: npm install ${name}`,
    );
    return undefined;
  }
}
