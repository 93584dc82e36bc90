import { warn } from "../internal/report.ts";

/** A whole number from the environment; a bad one is named once and the default is used. */
export function numberFrom(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const raw = env[name];
  if (raw === undefined || raw.trim() === "") {
    return fallback;
  }
  const value = Number(raw);
  if (!Number.isInteger(value) || value < 0) {
    warn(name, `${name}="${raw}" is no whole number, ${fallback} is used`);
    return fallback;
  }
  return value;
}

/** A list such as `OTEL_METRICS_EXPORTER=prometheus,otlp`; a name that is not known is named once and left out. */
export function listFrom(
  env: NodeJS.ProcessEnv,
  name: string,
  known: readonly string[],
  fallback: readonly string[],
): readonly string[] {
  const names = (env[name] ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  if (names.length === 0) {
    return fallback;
  }
  return names.filter((one) => {
    if (!known.includes(one)) {
      warn(`${name} ${one}`, `${name}="${one}" is not known here and is left out; known are ${known.join(", ")}`);
    }
    return known.includes(one);
  });
}
