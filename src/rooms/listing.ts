import { context } from "@opentelemetry/api";
import { matchMaker, type IRoomCache } from "@colyseus/core";
import { around } from "../internal/around.ts";
import { shadow, type Method, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { ownValue } from "../propagation/traceparent.ts";
import { journeyOf, type Journey } from "./journey.ts";

/**
 * Type and fullness of a room that is asked for by its id and runs in another process: all that is known of it here is
 * the listing, which core looks up in its driver.
 */
export function traceListings(): Undo {
  return shadow(matchMaker.driver, "findOne", readListing);
}

function readListing(original: Method): Method {
  return function findOne(this: unknown, ...args: unknown[]) {
    const journey = ownValue(args[0], "roomId") === undefined ? undefined : journeyOf(context.active());
    if (!journey || journey.room !== undefined) {
      return original.apply(this, args);
    }
    return around(
      () => original.apply(this, args),
      (ok, listing) => void (ok && guard("listing", noteListing, journey, listing as IRoomCache | null | undefined)),
    );
  };
}

function noteListing(journey: Journey, listing: IRoomCache | null | undefined): void {
  if (listing) {
    journey.room = listing.name;
    journey.full = listing.clients >= listing.maxClients;
  }
}
