export type Input = Readonly<Record<string, unknown>>;

export interface GameProperty {
  readonly Key: string;
  readonly Value: string;
}

/** The service's answer in case of an error. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message = "", status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export function found<T>(among: ReadonlyMap<string, T>, id: unknown): T {
  const one = among.get(String(id));
  if (!one) {
    throw new ServiceError("NotFoundException", `no ${String(id)}`);
  }
  return one;
}

export function idOf(value: unknown): string {
  if (typeof value !== "string" || !/^[a-zA-Z0-9-]{1,48}$/.test(value)) {
    throw new ServiceError("InvalidRequestException", `not an id: ${String(value)}`);
  }
  return value;
}

/** The model's limits. */
export function checkProperties(input: Input): void {
  const properties = (input["GameProperties"] ?? []) as readonly GameProperty[];
  const fits = properties.every(({ Key, Value }) => Key.length <= 32 && Value.length <= 96);
  if (!fits || properties.length > 16 || !(Number(input["MaximumPlayerSessionCount"]) >= 0)) {
    throw new ServiceError("InvalidRequestException", "out of the model's limits");
  }
}
