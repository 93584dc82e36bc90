import type { GameServer } from "./game-server.ts";

type Test = (server: GameServer) => boolean;

/** `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`. @throws Error for anything else */
export function byLabels(selector: string): Test {
  const tests = split(selector).map((part): Test => {
    const [, absent, key, equal, value, among, list] = LABEL.exec(part) ?? [];
    const operator = equal ?? among;
    if (!key) throw new Error(`unable to parse requirement: ${part}`);
    const values = (list ?? value ?? "").split(",").map((one) => one.trim());
    return ({ labels }) => {
      const has = Object.hasOwn(labels, key);
      if (!operator) return has !== (absent === "!");
      const matches = has && values.includes(labels[key]!);
      return operator === "!=" || operator === "notin" ? !matches : matches;
    };
  });
  return (server) => tests.every((test) => test(server));
}

/** Of a custom resource only name and namespace can be selected. @throws Error for anything else */
export function byFields(selector: string): Test {
  const tests = split(selector).map((part): Test => {
    const [, field, value] = /^metadata\.(name|namespace)={1,2}([^=]*)$/.exec(part) ?? [];
    if (!field) throw new Error(`field label not supported: ${part}`);
    return ({ name }) => (field === "name" ? name : "default") === value;
  });
  return (server) => tests.every((test) => test(server));
}

const LABEL = /^(!?)([\w./-]+)(?:\s*(==|=|!=)\s*([\w.-]*)|\s+(in|notin)\s+\(([^)]*)\))?$/;

function split(selector: string): string[] {
  return selector === "" ? [] : selector.split(/,(?![^(]*\))/).map((part) => part.trim());
}
