import type { Heading } from "./simulation.ts";

/** https://standardschema.dev, as far as Colyseus' `validate` needs it. */
interface Format<Output> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (message: unknown) => Result<Output>;
    readonly types?: { readonly input: unknown; readonly output: Output };
  };
}

type Refusal = { readonly issues: readonly { readonly message: string }[] };
type Result<Output> = { readonly value: Output; readonly issues?: undefined } | Refusal;

/** Validates what a client sends as a direction. Colyseus closes the connection of a client whose message has issues. */
export const headingFormat: Format<Heading> = {
  "~standard": { version: 1, vendor: "arena", validate: parseHeading },
};

function parseHeading(message: unknown): Result<Heading> {
  if (typeof message !== "object" || message === null) return refuse("a direction is { dx, dy }");
  const { dx, dy } = message as { readonly dx?: unknown; readonly dy?: unknown };
  if (typeof dx !== "number" || typeof dy !== "number") return refuse("dx and dy are numbers");
  if (!Number.isFinite(dx) || !Number.isFinite(dy)) return refuse("dx and dy are finite");
  return { value: { dx, dy } };
}

function refuse(message: string): Refusal {
  return { issues: [{ message }] };
}
