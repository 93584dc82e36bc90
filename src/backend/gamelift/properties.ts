import type { SpanContext } from "@opentelemetry/api";
import { checkStringMap, show } from "../../internal/check.ts";
import { GAME_PROPERTY_LIMITS, gamePropertiesWithContext } from "../../propagation/game-properties.ts";
import type { AllocationRequest } from "../provider.ts";

export interface GameProperty {
  readonly Key: string;
  readonly Value: string;
}

/** As AWS' own examples call it. */
const MODE_KEY = "gameMode";
const REGION_KEY = "region";

/** What the game session is told. The caller's own names win, but not those of the context. */
export function gameProperties(
  { region, mode, annotations, requestedAt }: AllocationRequest,
  own: Readonly<Record<string, string>>,
  spanContext: SpanContext | undefined,
): GameProperty[] {
  const named = {
    ...(mode !== undefined && { [MODE_KEY]: mode }),
    ...(region !== undefined && { [REGION_KEY]: region }),
    ...own,
    ...annotations,
  };
  return Object.entries(gamePropertiesWithContext(named, requestedAt, spanContext)).map(([Key, Value]) => ({
    Key,
    Value,
  }));
}

/** An object with strings that fit GameLift's limits. */
export function checkProperties(option: string, value: unknown): Readonly<Record<string, string>> {
  const properties = checkStringMap(option, value);
  for (const [key, one] of Object.entries(properties)) {
    if (key === "" || key.length > GAME_PROPERTY_LIMITS.key) {
      throw new TypeError(`${option}: a key must have 1 to ${GAME_PROPERTY_LIMITS.key} characters, got ${show(key)}`);
    }
    checkValue(`${option}[${JSON.stringify(key)}]`, one);
  }
  return properties;
}

/** Throws TypeError for a match whose properties GameLift would refuse. */
export function checkMatch(request: AllocationRequest, own: Readonly<Record<string, string>>): void {
  if (Object.keys(request.labels).length > 0) {
    throw new TypeError(
      `allocate.labels must not be given to gamelift(): a game session has none, annotations are its GameProperties; got ${show(request.labels)}`,
    );
  }
  checkProperties("allocate.annotations", request.annotations);
  checkValue("allocate.mode", request.mode ?? "");
  checkValue("allocate.region", request.region ?? "");
  const names = gameProperties(request, own, ANY_CONTEXT).map(({ Key }) => Key);
  if (names.length > GAME_PROPERTY_LIMITS.items) {
    throw new TypeError(
      `allocate.annotations must leave at most ${GAME_PROPERTY_LIMITS.items} GameProperties in all, got ${names.length}: ${names.join(", ")}`,
    );
  }
}

/** Only its place counts. */
const ANY_CONTEXT = { traceId: "", spanId: "", traceFlags: 0 };

function checkValue(option: string, value: string): void {
  if (value.length > GAME_PROPERTY_LIMITS.value) {
    throw new TypeError(
      `${option} must have at most ${GAME_PROPERTY_LIMITS.value} characters to be a GameProperty, got ${value.length}: ${show(value)}`,
    );
  }
}
