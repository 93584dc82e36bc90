import { Room } from "@colyseus/core";
import type { InstrumentOptions } from "colyseus-otel";
import { startServer, until, type TestServer } from "../_server.ts";
import { recordTelemetry, type RecordingTelemetry } from "../_telemetry.ts";
import type { Chromium, Tab } from "./_chromium.ts";
import type { ServedPage } from "./_page.ts";

export interface Visit extends AsyncDisposable {
  readonly game: TestServer;
  readonly tab: Tab;
  /** What the browser has asked the game server for, with the headers that say what it is about. */
  readonly asked: readonly string[];
}

export type VisitArguments = [options?: InstrumentOptions, room?: typeof Arena, recorded?: RecordingTelemetry];

export class Arena extends Room {
  override onJoin() {}
}

/** The page in a tab of its own, before a server of its own. */
export async function visitPage(
  chromium: Chromium,
  page: ServedPage,
  ...[options = {}, room = Arena, recorded = recordTelemetry()]: VisitArguments
): Promise<Visit> {
  const game = await startServer({ arena: room }, options, recorded);
  const asked: string[] = [];
  game.server.transport.server!.prependListener("request", ({ method, headers }) => {
    const wanted = headers["access-control-request-headers"];
    asked.push(
      [method, wanted && `may I send ${wanted}?`, headers["traceparent"] && "with traceparent"]
        .filter(Boolean)
        .join(" "),
    );
  });
  const tab = await chromium.open(page.url);
  await tab.run(`game.at(${JSON.stringify(game.url)})`);
  return {
    game,
    tab,
    asked,
    async [Symbol.asyncDispose]() {
      await game[Symbol.asyncDispose]();
      // The test may have closed it.
      await tab.close().catch(() => {});
    },
  };
}

/** Reason, type and close code of the one session, once it is told. */
export async function end({ recorded }: TestServer): Promise<unknown> {
  await until("the end", () => recorded.named("session.lifecycle").length === 1, 15_000);
  const { attributes } = recorded.one("session.lifecycle");
  return [attributes["session.end_reason"], attributes["session.end_type"], attributes["colyseus.close.code"]];
}
