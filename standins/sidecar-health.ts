// Stands in for the sidecar's check of health, checkHealth() and ensureHealthChecksRunning() in pkg/sdkserver/sdkserver.go
// of agones-dev/agones 676cc64. Left out: the kubelet, whose first probe starts the checks; here initialDelaySeconds does,
// after a restart too.
import type { Health } from "./game-server.ts";

export interface HealthCheck {
  ping(): void;
  /** Begins with a clean record, as a new process does. */
  start(): void;
  stop(): void;
}

/** @param unhealthy called at each check from the threshold on */
export function createHealthCheck(health: Health, unhealthy: () => void): HealthCheck {
  const period = health.periodSeconds * 1000;
  let lastPing = 0;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  const ping = (): void => {
    lastPing = performance.now();
    failures = 0;
  };
  const check = (): void => {
    timer = setTimeout(check, period);
    if (performance.now() > lastPing + period) failures += 1;
    if (failures >= health.failureThreshold) unhealthy();
  };
  return {
    ping,
    start: () => {
      if (health.disabled) return;
      ping();
      timer = setTimeout(check, health.initialDelaySeconds * 1000);
    },
    stop: () => clearTimeout(timer),
  };
}
