import { connections } from "./dashboards/connections.ts";
import { grafanaDashboard } from "./dashboards/grafana.ts";
import type { Dashboard } from "./dashboards/panels.ts";
import { provisioning } from "./dashboards/provisioning.ts";
import { servers } from "./dashboards/servers.ts";
import { sessions } from "./dashboards/sessions.ts";

/** What an operator looks at, in this order. */
export const DASHBOARDS: readonly Dashboard[] = [provisioning, sessions, servers, connections];

/** What Grafana imports, by path from the repository's root. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `deploy/grafana/${dashboard.uid.replace("colyseus-otel-", "")}.json`,
      `${JSON.stringify(grafanaDashboard(dashboard), undefined, 2)}\n`,
    ]),
  );
}
