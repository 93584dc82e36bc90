import { METRICS } from "../../src/conventions.ts";
import { one, percentiles, type Dashboard } from "./panels.ts";
import { count, counted, machine, max, select, share, sum } from "./promql.ts";

const { joins, clients, rooms, clientDuration, matchmakeDuration, seatWait, joinDuration } = METRICS;
const { seatReservations, traceContext, roomLifetime } = METRICS;
const ROOM = 'room=~"$room"';
const REFUSED = `${ROOM},outcome=~"refused_.*"`;

export const connections: Dashboard = {
  uid: "colyseus-otel-connections",
  title: "Colyseus: connections",
  doc: "Who comes in, how fast, who is turned away and why.",
  variables: [
    { name: "job", metric: clients, label: "job" },
    { name: "room", metric: joins, label: "room" },
  ],
  rows: [
    {
      title: "Traffic",
      panels: [
        {
          title: "Connected now",
          doc: "Growing while no joins come: connections stall.",
          unit: "short",
          queries: one("{{room}}", sum(select(clients, ROOM), ["room"])),
        },
        {
          title: "Joins by outcome",
          doc: "refused_full: no seats. refused_auth: bad tickets. error: a hook threw, or a player was gone.",
          unit: "short",
          queries: one("{{outcome}}", count(joins, ["outcome"], ROOM)),
        },
        {
          title: "Joins by kind",
          doc: "new, moved from another room, or reconnect. Many reconnects: a network, or a server that stalls.",
          unit: "short",
          queries: one("{{kind}}", count(joins, ["kind"], ROOM)),
        },
        {
          title: "Refused",
          doc: "Share of all who asked. A flood, a ticket service that is out of step, or too few rooms.",
          unit: "percentunit",
          queries: one("{{room}}", share(count(joins, ["room"], REFUSED), count(joins, ["room"], ROOM))),
        },
      ],
    },
    {
      title: "Latency",
      panels: [
        {
          title: "Matchmaking",
          doc: "Request until reservation. Over 2 s players go.",
          unit: "s",
          queries: percentiles(matchmakeDuration, [], ROOM),
        },
        {
          title: "Seat until socket",
          doc: "The player's own network and program, and a proxy between.",
          unit: "s",
          queries: percentiles(seatWait, [], ROOM),
        },
        {
          title: "Socket until joined",
          doc: "onAuth and onJoin, and what the event loop made them wait.",
          unit: "s",
          queries: percentiles(joinDuration, [], ROOM),
        },
        {
          title: "Matchmaking by error",
          doc: "Requests that came to nothing, by why.",
          unit: "short",
          queries: one("{{error_type}}", counted(matchmakeDuration, ["error_type"], 'error_type!=""')),
        },
      ],
    },
    {
      title: "Seats and stays",
      panels: [
        {
          title: "Seats by outcome",
          doc: "expired: a player had a seat and never came. ipc_timeout: another process did not answer.",
          unit: "short",
          queries: one("{{outcome}}", count(seatReservations, ["outcome"], ROOM)),
        },
        {
          title: "How long connections stay",
          doc: "Socket until disconnect, of confirmed joins and returns.",
          unit: "s",
          queries: percentiles(clientDuration, [], ROOM),
        },
        {
          title: "How long rooms live",
          doc: "Creation until disposal.",
          unit: "s",
          queries: percentiles(roomLifetime, ["room"], ROOM, [0.5, 0.95]),
        },
        {
          title: "Rooms",
          doc: "That exist now.",
          unit: "short",
          queries: one("{{room}}", sum(select(rooms, ROOM), ["room"])),
        },
      ],
    },
    {
      title: "Trace contexts",
      panels: [
        {
          title: "Contexts that came in",
          doc: "malformed, unsigned: somebody writes their own. capped: a flood of sampled ones. absent: a client without withTraceContext().",
          unit: "short",
          queries: one("{{source}} {{outcome}}", count(traceContext, ["source", "outcome"])),
        },
        {
          title: "Event loop delay, P99",
          doc: "Slow joins with it: the server. Slow joins without it: what onAuth and onJoin wait for.",
          unit: "s",
          queries: one("{{instance}}", max(machine("nodejs_eventloop_delay_p99"), ["instance"])),
        },
      ],
    },
  ],
};
