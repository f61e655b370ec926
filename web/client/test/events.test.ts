/** Every event of the program is read, field by field, and nobody else's lines are taken for one. */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import test from "node:test";
import { decodeEvent, readEvents } from "../src/events.js";
import { EVENTS } from "../src/generated/events.js";
import { plain } from "./plain.js";

type Vectors = {
  programId: string;
  events: { name: string; data: object; raw: string }[];
  logs: { name: string; logs: string[]; events: number; complete: boolean }[];
};

const vectors = JSON.parse(
  readFileSync(new URL("../../../../tests/vectors/events.json", import.meta.url), "utf8"),
) as Vectors;

test("every event is read with every field", () => {
  for (const { name, data, raw } of vectors.events) {
    assert.deepEqual(plain(decodeEvent(Buffer.from(raw, "base64"))), { name, data });
  }
  assert.deepEqual(
    vectors.events.map((event) => event.name),
    Object.keys(EVENTS),
  );
});

test("lines count only while the program is on top of the invoke stack, and what is missing is told", () => {
  for (const { name, logs, events, complete } of vectors.logs) {
    const read = readEvents(logs, vectors.programId);
    assert.deepEqual([read.events.length, read.complete], [events, complete], name);
  }
});
