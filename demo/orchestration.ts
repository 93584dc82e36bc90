/** Who decides when the game server may take players, as the demo's other processes need to know of it. */
export interface Orchestration {
  /** For the game server. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where nobody allocates servers. */
  readonly allocator: Allocator | undefined;
  /** Told where the game listens. */
  register(port: number): Promise<void>;
}

interface Allocator {
  /** For the matchmaker. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once an allocation has found no server. */
  refusal(): Promise<unknown>;
  /** @param server its name */
  sayAllocated(server: string): string;
}
