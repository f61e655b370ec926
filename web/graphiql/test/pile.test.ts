import assert from "node:assert/strict";
import { test } from "node:test";
import { piled } from "../src/pile.ts";

test("each step shows all that came, newest first", async () => {
  async function* events() {
    yield* ["a", "b", "c"];
  }
  const shown = [];
  for await (const { received } of piled(events())) shown.push(received.join(""));
  assert.deepEqual(shown, ["a", "ba", "cba"]);
});

test("stopping ends the source though an event is awaited", async () => {
  let ended = false;
  const silent: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => undefined),
      return: async () => {
        ended = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const shown = piled(silent);
  void shown.next();
  await shown.return?.();
  assert.ok(ended);
});
