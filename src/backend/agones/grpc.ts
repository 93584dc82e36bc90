import { PROTOCOL, type AllocateRequest, type AllocateResponse } from "./protocol.ts";

/** The part of `@grpc/grpc-js` that is used. By shape: an optional peer's types do not belong into the package's. */
export interface Grpc {
  readonly credentials: {
    createInsecure(): object;
    createSsl(ca: Buffer | null, key: Buffer | null, cert: Buffer | null): object;
  };
  makeClientConstructor(service: object, name: string): AllocationClientClass;
}

export type AllocationClientClass = new (
  endpoint: string,
  credentials: object,
  options: Readonly<Record<string, string | number>>,
) => AllocationClient;

export interface AllocationClient {
  Allocate(
    request: AllocateRequest,
    options: { readonly deadline: number },
    done: (error: unknown, response: AllocateResponse) => void,
  ): { cancel(): void };
  close(): void;
}

export interface LoadedGrpc {
  readonly credentials: Grpc["credentials"];
  readonly Client: AllocationClientClass;
}

interface ProtoLoader {
  fromJSON(
    json: object,
    options: { readonly defaults: boolean; readonly enums: object },
  ): Readonly<Record<string, object>>;
}

const SERVICE = "allocation.AllocationService";

/** Loads the peers only now: the login service of the same program needs none of them. */
export async function loadGrpc(): Promise<LoadedGrpc> {
  const [grpc, loader] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]).then(
    (modules) => modules.map((module) => module.default) as unknown as [Grpc, ProtoLoader],
    (cause: unknown) => {
      const packages = "@grpc/grpc-js @grpc/proto-loader";
      throw new Error(`agones() of colyseus-otel/backend needs two packages: npm install ${packages}`, { cause });
    },
  );
  const { [SERVICE]: service } = loader.fromJSON(PROTOCOL, { defaults: true, enums: String });
  return { credentials: grpc.credentials, Client: grpc.makeClientConstructor(service as object, SERVICE) };
}
