import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildSchema, parse, validate } from "graphql";
import { examples } from "../src/examples.ts";

const schema = buildSchema(readFileSync("../../schema.graphql", "utf8"));
const nameOf = (query: string): string => {
  const [definition] = parse(query).definitions;
  assert.ok(definition?.kind === "OperationDefinition" && definition.name);
  return definition.name.value;
};

test("every example is valid against the exported schema", () => {
  for (const example of examples) assert.deepEqual(validate(schema, parse(example.query)), [], example.query);
});

test("every placeholder names an earlier operation and a path that it selects", () => {
  const seen = new Map<string, string>();
  for (const example of examples) {
    for (const [, path] of JSON.stringify(example.variables ?? {}).matchAll(/\{\{([\w.]+)\}\}/g)) {
      const [operation, ...fields] = (path ?? "").split(".");
      const source = seen.get(operation ?? "");
      assert.ok(source, `${path} in ${nameOf(example.query)}`);
      for (const field of fields) assert.match(source, new RegExp(`\\b${field}\\b`));
    }
    seen.set(nameOf(example.query), example.query);
  }
});
