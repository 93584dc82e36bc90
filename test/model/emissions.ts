import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Points } from "./points.ts";

/** What other parts tell, under tests of their own: boots, allocations, logins, long sessions, ticks, messages, processes, the pipeline. */
export const ELSEWHERE = {
  spans: /^(agones|gamelift|gameserver|provision)\.|^session\.phase\.login$/,
  attributes: either(
    /^(agones|client|deployment|game|gamelift|gameserver|player|provision|service)\./,
    /^(region|required_players|max_players|state|status|server\.(address|port)|colyseus\.trace_context\.source)$/,
    /^session\.(auth_method|leg|segment\.index)$/,
  ),
  errorTypes: either(
    /^(aborted|allocation_failed|contention|deadline|quota|ready_timeout|tls_refused|unallocated|unavailable)$/,
    /^(listen_failed|orchestrator_failed|ipc_timeout|not_encodable|queue_full|rejected)$/,
  ),
  labels: /^client\./,
  metrics: /^(gameserver|game\.provision|otel\.sdk|colyseus\.(tick|patch|messages|network))\b/,
};

/** Names that were emitted, of each kind. */
export class Emissions {
  readonly spans = new Set<string>();
  readonly attributes = new Set<string>();
  readonly errorTypes = new Set<string>();
  /** Labels by metric. */
  readonly metrics = new Map<string, Set<string>>();

  addSpans(spans: readonly ReadableSpan[]): void {
    for (const { name, attributes, links } of spans) {
      this.spans.add(name.split(" ")[0]!);
      for (const bag of [attributes, ...links.map((link) => link.attributes ?? {})]) {
        Object.keys(bag).forEach((key) => this.attributes.add(key));
      }
      const errorType = attributes["error.type"];
      if (typeof errorType === "string") {
        this.errorTypes.add(errorType);
      }
    }
  }

  addPoints(points: Points): void {
    for (const point of points.keys()) {
      const [metric, ...pairs] = point.split(" ");
      const labels = this.metrics.get(metric!) ?? new Set();
      pairs.forEach((pair) => labels.add(pair.split("=")[0]!));
      this.metrics.set(metric!, labels);
    }
  }
}

function either(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}
