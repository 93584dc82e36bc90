/**
 * The allocation service of Agones: the fields that are used of its proto/allocation/allocation.proto (package
 * `allocation`), with the numbers that are published there. As an object: neither tsc nor a bundler carries a .proto
 * file into the package.
 */
export const PROTOCOL = {
  nested: {
    allocation: {
      nested: {
        AllocationService: {
          methods: { Allocate: { requestType: "AllocationRequest", responseType: "AllocationResponse" } },
        },
        AllocationRequest: {
          fields: {
            namespace: { type: "string", id: 1 },
            metadata: { type: "MetaPatch", id: 7 },
            gameServerSelectors: { rule: "repeated", type: "GameServerSelector", id: 8 },
          },
        },
        AllocationResponse: {
          fields: {
            gameServerName: { type: "string", id: 2 },
            ports: { rule: "repeated", type: "Port", id: 3 },
            address: { type: "string", id: 4 },
            nodeName: { type: "string", id: 5 },
            source: { type: "string", id: 6 },
            metadata: { type: "MetaPatch", id: 7 },
            addresses: { rule: "repeated", type: "Address", id: 8 },
          },
        },
        MetaPatch: {
          fields: {
            labels: { keyType: "string", type: "string", id: 1 },
            annotations: { keyType: "string", type: "string", id: 2 },
          },
        },
        GameServerSelector: {
          fields: {
            matchLabels: { keyType: "string", type: "string", id: 1 },
            gameServerState: { type: "GameServerState", id: 2 },
          },
        },
        GameServerState: { values: { READY: 0, ALLOCATED: 1 } },
        Port: { fields: { name: { type: "string", id: 1 }, port: { type: "int32", id: 2 } } },
        Address: { fields: { type: { type: "string", id: 1 }, address: { type: "string", id: 2 } } },
      },
    },
  },
};

type StringMap = Readonly<Record<string, string>>;

export interface AllocateRequest {
  readonly namespace: string;
  readonly metadata: { readonly labels: StringMap; readonly annotations: StringMap };
  readonly gameServerSelectors: readonly {
    readonly matchLabels: StringMap;
    readonly gameServerState: "READY" | "ALLOCATED";
  }[];
}

/** As it is read with defaults: only messages may be absent. */
export interface AllocateResponse {
  readonly gameServerName: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly address: string;
  readonly nodeName: string;
  readonly source: string;
  readonly metadata: { readonly labels: StringMap; readonly annotations: StringMap } | null;
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}
