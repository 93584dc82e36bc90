import { METRICS } from "../../src/conventions.ts";
import { one, percentiles, type Dashboard } from "./panels.ts";
import { count, counted, quantile, select, share, sum } from "./promql.ts";

const { sessions: open, sessionDuration, sessionEnds, sessionMatches, phaseDuration, drops } = METRICS;
const { reconnects, reconnectGap } = METRICS;
const inPhases = (by: readonly string[] = []) => count(phaseDuration, by, "", "_sum");

export const sessions: Dashboard = {
  uid: "colyseus-otel-sessions",
  title: "Colyseus: sessions",
  doc: "What players do from login to their end: docs/sessions.md.",
  variables: [{ name: "job", metric: open, label: "job" }],
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Open sessions",
          doc: "Players who are in a room, or whose seat is held.",
          unit: "short",
          kind: "stat",
          queries: one("sessions", sum(select(open))),
        },
        {
          title: "Median session",
          doc: "From login or first join to the end.",
          unit: "s",
          kind: "stat",
          queries: one("P50", quantile(0.5, sessionDuration)),
        },
        {
          title: "Ends that nobody wanted",
          doc: "Sessions that ended by connection_failure or crash.",
          unit: "percentunit",
          kind: "stat",
          queries: one(
            "share",
            share(counted(sessionDuration, [], 'end_type=~"connection_failure|crash"'), counted(sessionDuration)),
          ),
        },
        {
          title: "Without a match",
          doc: "Sessions that ended before their first match: matchmaking that fails, or players who give up.",
          unit: "percentunit",
          kind: "stat",
          queries: one("share", share(count(sessionMatches, [], 'le="0"', "_bucket"), counted(sessionMatches))),
        },
      ],
    },
    {
      title: "Duration and matches",
      panels: [
        {
          title: "Median session by platform and version",
          doc: "One that falls after a release: what did it change?",
          unit: "s",
          queries: percentiles(sessionDuration, ["client_platform", "client_version"], "", [0.5]),
        },
        {
          title: "Duration by how sessions ended",
          doc: "Crashes early in a session point to joining and loading, late ones to what grows.",
          unit: "s",
          queries: percentiles(sessionDuration, ["end_type"], "", [0.5, 0.95]),
        },
        {
          title: "Matches of a session",
          doc: "Of sessions that ended within the window.",
          unit: "short",
          queries: percentiles(sessionMatches, [], "", [0.5, 0.95]),
        },
        {
          title: "Open sessions by phase",
          doc: "Many in matchmaking: too few matches. Many in reconnecting: a network broke.",
          unit: "short",
          queries: one("{{phase}}", sum(select(open), ["phase"])),
        },
      ],
    },
    {
      title: "Ends",
      panels: [
        {
          title: "Ends by reason",
          doc: "connection_lost: networks. timeout: seats that nobody came back to. server_error, crash: a build.",
          unit: "short",
          queries: one("{{end_reason}}", count(sessionEnds, ["end_reason"])),
        },
        {
          title: "Ends by type",
          doc: "Share of each.",
          unit: "percentunit",
          queries: one(
            "{{end_type}}",
            `${counted(sessionDuration, ["end_type"])} / on() group_left() ${counted(sessionDuration)}`,
          ),
        },
        {
          title: "Ended sessions by language",
          doc: "Of players whose program says it.",
          unit: "short",
          queries: one("{{client_locale}}", count(sessionEnds, ["client_locale"])),
        },
      ],
    },
    {
      title: "Phases",
      panels: [
        {
          title: "Where the time goes",
          doc: "Share of each phase in the time of all. 40 % loading is what to work on.",
          unit: "percentunit",
          queries: one("{{phase}}", `${inPhases(["phase"])} / on() group_left() ${inPhases()}`),
        },
        {
          title: "P95 by phase",
          doc: "A phase longer than session.segment counts by its segments.",
          unit: "s",
          queries: percentiles(phaseDuration, ["phase"], "", [0.95]),
        },
      ],
    },
    {
      title: "Drops and returns",
      panels: [
        {
          title: "Drops",
          doc: "Connections that broke off. held: the room keeps the seat. lost: it does not.",
          unit: "short",
          queries: one("{{outcome}}", count(drops, ["outcome"])),
        },
        {
          title: "Held seats",
          doc: "How they came out: returned, expired, refused, abandoned.",
          unit: "short",
          queries: one("{{outcome}}", count(reconnects, ["outcome"])),
        },
        {
          title: "Until the return",
          doc: "Near the room's reconnection window, players are lost to it.",
          unit: "s",
          queries: percentiles(reconnectGap, [], "", [0.5, 0.95]),
        },
      ],
    },
  ],
};
