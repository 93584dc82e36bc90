import { METRICS } from "../../src/conventions.ts";
import { machineRow } from "./machine.ts";
import { one, percentiles, type Dashboard } from "./panels.ts";
import { count, counted, rate, select, share, sum } from "./promql.ts";

const { bootDuration, status, readiness, mapLoadDuration, readyToAllocated, allocatedToPlayable } = METRICS;
const { allocatedToFirstJoin, tickDuration, patchDuration, messages, networkIo, orchestratorFaults } = METRICS;
const { spansProcessed, spansQueued, rooms } = METRICS;

export const servers: Dashboard = {
  uid: "colyseus-otel-servers",
  title: "Colyseus: game servers",
  doc: "From process start over Ready and the allocation to the last tick: docs/agones.md.",
  variables: [{ name: "job", metric: status, label: "job" }],
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Servers by state",
          doc: "Few ready ones: the next match waits for a boot.",
          unit: "short",
          queries: one("{{state}}", sum(select(status), ["state"])),
        },
        {
          title: "Serving, and not",
          doc: "What /readyz says. Down while booting and draining; else the orchestrator is away, and the log says why.",
          unit: "short",
          queries: [
            { legend: "serving", expr: sum(select(readiness)) },
            { legend: "not", expr: `count(${select(readiness)}) - ${sum(select(readiness))}` },
          ],
        },
        {
          title: "Rooms",
          doc: "That exist, by type.",
          unit: "short",
          queries: one("{{room}}", sum(select(rooms), ["room"])),
        },
      ],
    },
    {
      title: "Boot",
      panels: [
        {
          title: "Process start until Ready",
          doc: "Of servers that booted within the window.",
          unit: "s",
          queries: percentiles(bootDuration, [], 'phase="total",outcome="success"'),
        },
        {
          title: "P95 by phase",
          doc: "load: imports. prepare: beforeListen. map_load: maps. orchestrator: the sidecar, and its Ready.",
          unit: "s",
          queries: percentiles(bootDuration, ["phase"], 'phase!="total"', [0.95]),
        },
        {
          title: "Boots",
          doc: "Within the window, by how they came out. Why one failed stands in its log, its /readyz and its gameserver.boot.",
          unit: "short",
          queries: one("{{outcome}}", counted(bootDuration, ["outcome"], 'phase="total"')),
        },
        {
          title: "Map loads, P95",
          doc: "By map, at boot and later.",
          unit: "s",
          queries: percentiles(mapLoadDuration, ["game_map"], "", [0.95]),
        },
      ],
    },
    {
      title: "Ready, allocated, playable",
      panels: [
        {
          title: "In the pool",
          doc: "Ready until the allocation. Hours: the buffer is too big. Seconds: too small.",
          unit: "s",
          queries: percentiles(readyToAllocated, [], "", [0.5, 0.95]),
        },
        {
          title: "Allocated until playable",
          doc: "onAllocated, the map, or the first join; what players of this match waited for.",
          unit: "s",
          queries: percentiles(allocatedToPlayable, ["gameserver_start"], "", [0.5, 0.95]),
        },
        {
          title: "Allocated until the first join",
          doc: "Far over the one before: players do not find the server.",
          unit: "s",
          queries: percentiles(allocatedToFirstJoin, ["gameserver_start"], "", [0.5, 0.95]),
        },
        {
          title: "Matches that nobody joined",
          doc: "Allocations without a playable server in 60 s, or without a player so far.",
          unit: "short",
          queries: [
            { legend: "not playable", expr: `${counted(readyToAllocated)} - ${counted(allocatedToPlayable)}` },
            { legend: "nobody joined", expr: `${counted(readyToAllocated)} - ${counted(allocatedToFirstJoin)}` },
          ],
        },
      ],
    },
    {
      title: "The game loop",
      panels: [
        {
          title: "Ticks",
          doc: "The game's own function, by room type. 20 Hz has 50 ms, 60 Hz has 16.",
          unit: "s",
          queries: percentiles(tickDuration, ["room"], "", [0.5, 0.99]),
        },
        {
          title: "Ticks over 50 ms",
          doc: "Share of ticks that are late at 20 Hz.",
          unit: "percentunit",
          queries: one(
            "{{room}}",
            `1 - ${count(tickDuration, ["room"], 'le="0.05"', "_bucket")} / ${counted(tickDuration, ["room"])}`,
          ),
        },
        {
          title: "Patches",
          doc: "Encoding the state and sending it.",
          unit: "s",
          queries: percentiles(patchDuration, ["room"], "", [0.5, 0.99]),
        },
        {
          title: "Messages",
          doc: "A second; with messages: true.",
          unit: "cps",
          queries: one("{{room}} {{direction}}", rate(select(messages), ["room", "direction"])),
        },
        {
          title: "Network",
          doc: "Bytes of these a second, without the framing; with messages: true.",
          unit: "Bps",
          queries: one("{{room}} {{direction}}", rate(select(networkIo), ["room", "direction"])),
        },
      ],
    },
    machineRow,
    {
      title: "What tells all this",
      panels: [
        {
          title: "Spans that wait",
          doc: "For a collector that is away or slow; over queueBytes the oldest are dropped.",
          unit: "short",
          queries: one("{{instance}}", sum(select(spansQueued), ["instance"])),
        },
        {
          title: "Spans lost",
          doc: "Share of all: queue_full, rejected by the collector, or not_encodable.",
          unit: "percentunit",
          queries: one("lost", share(count(spansProcessed, [], 'error_type!=""'), count(spansProcessed))),
        },
        {
          title: "GameLift: faults",
          doc: "Messages, calls and connections that were no good.",
          unit: "short",
          queries: one("{{kind}}", count(orchestratorFaults, ["kind"])),
        },
      ],
    },
  ],
};
