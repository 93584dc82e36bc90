import { one, type Row } from "./panels.ts";
import { machine, max, rate, sum } from "./promql.ts";

const BY_INSTANCE = "{{instance}}";

/** What the two packages of `startTelemetry({ host, runtime })` measure. */
export const machineRow: Row = {
  title: "Node and the machine (startTelemetry({ runtime: true, host: true }))",
  panels: [
    {
      title: "Event loop delay, P99",
      doc: "Whatever blocks it delays ticks, joins and health pings alike.",
      unit: "s",
      queries: one(BY_INSTANCE, max(machine("nodejs_eventloop_delay_p99"), ["instance"])),
    },
    {
      title: "Event loop in use",
      doc: "Share of the time in which it is not idle. Near 100 % ticks come late.",
      unit: "percentunit",
      queries: one(BY_INSTANCE, max(machine("nodejs_eventloop_utilization"), ["instance"])),
    },
    {
      title: "Garbage collection",
      doc: "Share of the time, by kind.",
      unit: "percentunit",
      queries: one("{{v8js_gc_type}}", rate(machine("v8js_gc_duration_sum"), ["v8js_gc_type"])),
    },
    {
      title: "Heap",
      doc: "In use. One that grows from match to match leaks.",
      unit: "bytes",
      queries: one(BY_INSTANCE, sum(machine("v8js_memory_heap_used"), ["instance"])),
    },
    {
      title: "CPU of the process",
      doc: "1 is one core; a game loop has one.",
      unit: "percentunit",
      queries: one(BY_INSTANCE, rate(machine("process_cpu_time_total"), ["instance"])),
    },
    {
      title: "CPU of the machine",
      doc: "Share that is not idle.",
      unit: "percentunit",
      queries: one(
        BY_INSTANCE,
        `1 - ${rate(machine("system_cpu_time_total", 'system_cpu_state="idle"'), ["instance"])} / ${rate(machine("system_cpu_time_total"), ["instance"])}`,
      ),
    },
    {
      title: "Memory of the machine",
      doc: "Share in use.",
      unit: "percentunit",
      queries: one(BY_INSTANCE, max(machine("system_memory_utilization", 'system_memory_state="used"'), ["instance"])),
    },
  ],
};
