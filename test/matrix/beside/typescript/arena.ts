// TypeScript that node alone does not run: a parameter property, and main.ts imports this file by another name.
import { Room } from "@colyseus/core";

class Greeting {
  // @ts-expect-error -- erasableSyntaxOnly is right: only a compiler runs it
  constructor(readonly words: string) {}
}

export class Arena extends Room {
  override onJoin() {
    this.broadcast(new Greeting("hello").words);
  }
}
