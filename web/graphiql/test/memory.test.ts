import assert from "node:assert/strict";
import { test } from "node:test";
import { EmptyPlaceholder, Memory } from "../src/memory.ts";

test("an answer fills the placeholders of later operations", () => {
  const memory = new Memory();
  memory.learn("SignIn", { ada: { token: "t1" }, list: [{ n: 7 }] });
  assert.deepEqual(memory.fill({ a: "Bearer {{SignIn.ada.token}}", b: ["{{SignIn.list.0.n}}"], c: 1, d: null }), {
    a: "Bearer t1",
    b: ["7"],
    c: 1,
    d: null,
  });
});

test("a placeholder that nothing filled names itself and the cure", () => {
  assert.throws(() => new Memory().fill("{{Wallets.ada.address}}"), (error: unknown) => {
    assert.ok(error instanceof EmptyPlaceholder);
    return error.message.includes("Wallets.ada.address") && error.message.includes("first");
  });
});
