/** `service.name` of the two game servers and of the two services before them. */
export const SERVICES = { game: "arena-server", lobby: "lobby", matchmaker: "matchmaker", login: "login" } as const;

export interface ExpectedSpan {
  readonly name: string;
  /** What `parent` and `link` call it by. @default its name */
  readonly as?: string;
  readonly service: string;
  /** The parent; undefined for the root of a trace. */
  readonly parent: string | undefined;
  /** The span in whose time it begins, though it is of another trace. */
  readonly during?: string;
  /** The span that a link must point at; of another player's story, any of that name. */
  readonly link?: string;
  /** Keys that must have a value. */
  readonly attributes?: readonly string[];
  /** Keys that must have this value; null: none. */
  readonly values?: Readonly<Record<string, string | number | null>>;
  /** Once or more: how often, the machine decides. */
  readonly many?: true;
  /** May be missing: it is told after the trees are drawn. */
  readonly optional?: true;
}
