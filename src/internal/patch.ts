import { guard } from "./report.ts";

export type Undo = () => void;

/** A method of somebody else's object: the host boundary, and the one `any` of this house. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Method = (this: any, ...args: any[]) => unknown;

const wrappers = new WeakSet<object>();

/**
 * Replaces `owner[key]` by `wrap(original)`, keeping name, length and descriptor, and returns its undo. Only what `owner`
 * itself defines is wrapped; a method that is ours already is left alone.
 *
 * The undo puts the very same function back, unless somebody wrapped ours in the meantime: taking that away would undo
 * their work, so our wrapper stays and, being off, only calls through.
 */
export function patch(owner: object, key: PropertyKey, wrap: (original: Method) => Method): Undo {
  const descriptor = Object.getOwnPropertyDescriptor(owner, key);
  const original: unknown = descriptor?.value;
  if (!descriptor || typeof original !== "function" || wrappers.has(original)) {
    return nothing;
  }
  const wrapper = wrap(original as Method);
  for (const name of ["name", "length"] as const) {
    Object.defineProperty(wrapper, name, { value: original[name], configurable: true });
  }
  wrappers.add(wrapper);
  Object.defineProperty(owner, key, { ...descriptor, value: wrapper });
  return () => {
    if (Object.getOwnPropertyDescriptor(owner, key)?.value === wrapper) {
      Object.defineProperty(owner, key, descriptor);
    }
  };
}

/**
 * Like {@link patch} for a method that `owner` inherits: the wrapper becomes an own property, the undo deletes it. What it
 * does not have is left so.
 */
export function shadow<T extends object>(owner: T, key: keyof T & string, wrap: (original: Method) => Method): Undo {
  if (Object.hasOwn(owner, key)) {
    return patch(owner, key, wrap);
  }
  const original: unknown = owner[key];
  if (typeof original !== "function") {
    return nothing;
  }
  Object.defineProperty(owner, key, { value: original, configurable: true, writable: true, enumerable: false });
  const undo = patch(owner, key, wrap);
  return () => {
    undo();
    if (owner[key] === original) {
      delete owner[key];
    }
  };
}

/** Undoes in reverse order; each undo runs even when another throws. */
export function undoAll(undos: Undo[]): void {
  for (let undo = undos.pop(); undo; undo = undos.pop()) {
    guard("undo", undo);
  }
}

function nothing(): void {}
