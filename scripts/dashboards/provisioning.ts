import { METRICS } from "../../src/conventions.ts";
import { one, percentiles, type Dashboard } from "./panels.ts";
import { count, share } from "./promql.ts";

const { provisionDuration, provisionOutcomes } = METRICS;
const WHERE = 'region=~"$region",game_mode=~"$mode"';
const BY = ["region", "game_mode"];
const LEGEND = "{{region}} {{game_mode}}";

// Who hung up has not been refused.
const asked = (by: readonly string[] = []) => count(provisionOutcomes, by, `${WHERE},outcome!="aborted"`);
const failed = (by: readonly string[] = []) => count(provisionOutcomes, by, `${WHERE},outcome!~"success|aborted"`);
const served = (by: readonly string[] = []) => count(provisionOutcomes, by, `${WHERE},outcome="success"`);
const warm = (by: readonly string[] = []) =>
  count(provisionOutcomes, by, `${WHERE},outcome="success",gameserver_start=~"warm|reused"`);
const took = (level: number, by: readonly string[]) =>
  percentiles(provisionDuration, by, `${WHERE},outcome="success"`, [level]);

export const provisioning: Dashboard = {
  uid: "colyseus-otel-provisioning",
  title: "Colyseus: provisioning",
  doc: "How long players wait for a server, and whether there is one. Told by the matchmaker: docs/matchmaker.md.",
  variables: [
    { name: "job", metric: provisionOutcomes, label: "job" },
    { name: "region", metric: provisionOutcomes, label: "region" },
    { name: "mode", metric: provisionOutcomes, label: "game_mode" },
  ],
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Servers given",
          doc: "Allocations with a server, within the window.",
          unit: "short",
          kind: "stat",
          queries: one("servers", served()),
        },
        {
          title: "Failure rate",
          doc: "Allocations without a server, of all that were not given up by the caller.",
          unit: "percentunit",
          kind: "stat",
          queries: one("failed", share(failed(), asked())),
        },
        {
          title: "Warm hit rate",
          doc: "Servers that stood ready, of all that were given. Under 90 % the buffer is too small.",
          unit: "percentunit",
          kind: "stat",
          queries: one("warm", share(warm(), served())),
        },
        {
          title: "P95 until a server",
          doc: "19 of 20 players wait no longer.",
          unit: "s",
          kind: "stat",
          queries: took(0.95, []),
        },
      ],
    },
    {
      title: "Until a server, by region and mode",
      panels: [0.5, 0.95, 0.99].map((level) => ({
        title: `P${level * 100} by region and mode`,
        doc: "One region alone: its fleet. All at once: the allocation service, or the matchmaker.",
        unit: "s",
        queries: took(level, BY),
      })),
    },
    {
      title: "Failures",
      panels: [
        {
          title: "Failure rate by region and mode",
          doc: "Allocations without a server, of all that were not given up by the caller.",
          unit: "percentunit",
          queries: one(LEGEND, share(failed(BY), asked(BY))),
        },
        {
          title: "Outcomes",
          doc: "ready_timeout: too few servers. contention, quota: too many askers. deadline: nobody answered. allocation_failed: refused.",
          unit: "short",
          queries: one("{{outcome}}", count(provisionOutcomes, ["outcome"], WHERE)),
        },
        {
          title: "Until giving up",
          doc: "What players waited who got no server.",
          unit: "s",
          queries: percentiles(provisionDuration, ["outcome"], `${WHERE},outcome!="success"`, [0.95]),
        },
      ],
    },
    {
      title: "The warm pool",
      panels: [
        {
          title: "Warm hit rate by region and mode",
          doc: "Servers that stood ready, of all that were given.",
          unit: "percentunit",
          queries: one(LEGEND, share(warm(BY), served(BY))),
        },
        {
          title: "Starts",
          doc: "warm: it stood ready. cold: players waited for it to boot. reused: it had a match before.",
          unit: "short",
          queries: one(
            "{{gameserver_start}}",
            count(provisionOutcomes, ["gameserver_start"], `${WHERE},outcome="success"`),
          ),
        },
        {
          title: "What a cold start costs",
          doc: "P95 until a server, by what it was.",
          unit: "s",
          queries: percentiles(provisionDuration, ["gameserver_start"], `${WHERE},outcome="success"`, [0.95]),
        },
      ],
    },
  ],
};
