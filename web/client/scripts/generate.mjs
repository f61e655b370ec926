/**
 * Writes src/generated from the program's IDL. `npm run generate`; CI fails where it differs from what is committed.
 *
 * Three things are told to Codama that an Anchor IDL cannot say or that it would get wrong: events are types with
 * decoders, a payee may sign, and derived addresses are never filled in for a program address that nobody gave.
 */
import { rootNodeFromAnchor } from "@codama/nodes-from-anchor";
import { renderVisitor } from "@codama/renderers-js";
import {
  bytesTypeNode,
  constantPdaSeedNodeFromString,
  createFromRoot,
  definedTypeNode,
  fixedSizeTypeNode,
  pdaNode,
  publicKeyTypeNode,
  variablePdaSeedNode,
} from "codama";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const GENERATED = `${PACKAGE}src/generated/`;
const HEADER = "/** Written by scripts/generate.mjs from the program's IDL: do not edit. */\n";

const idl = JSON.parse(readFileSync(`${PACKAGE}../../programs/idl/chorale.json`, "utf8"));
const root = rootNodeFromAnchor(idl);
const events = root.program.events.map((event) => ({
  name: event.name,
  discriminator: idl.events.find((entry) => entry.name.toLowerCase() === event.name.toLowerCase()).discriminator,
  type: definedTypeNode({ name: event.name, docs: event.docs, type: event.data.type }),
}));

const hash = fixedSizeTypeNode(bytesTypeNode(), 32);
const pda = (name, ...variables) =>
  pdaNode({
    name,
    seeds: [constantPdaSeedNodeFromString("utf8", name), ...variables.map((seed) => variablePdaSeedNode(...seed))],
  });
const pdas = [
  pda("protocol"),
  pda("treasury"),
  pda("thread", ["threadId", hash]),
  pda("vault", ["thread", publicKeyTypeNode()]),
  pda("message", ["thread", publicKeyTypeNode()], ["contentHash", hash]),
];

const account = ({ defaultValue, ...node }) => ({
  ...node,
  isSigner: node.name === "payee" ? "either" : node.isSigner,
  ...(defaultValue && defaultValue.kind !== "pdaValueNode" ? { defaultValue } : {}),
});
const instructions = root.program.instructions.map((node) => ({ ...node, accounts: node.accounts.map(account) }));
const definedTypes = [...root.program.definedTypes, ...events.map((event) => event.type)];
const program = { ...root.program, definedTypes, instructions, pdas };

await createFromRoot({ ...root, program }).accept(
  renderVisitor(PACKAGE, {
    kitImportStrategy: "rootOnly",
    prettierOptions: { printWidth: 120 },
    syncPackageJson: false,
  }),
);

const read = (file) => readFileSync(GENERATED + file, "utf8");
const pascal = (name) => name[0].toUpperCase() + name.slice(1);
const names = events.map((event) => pascal(event.name));
writeFileSync(
  `${GENERATED}events.ts`,
  `${HEADER}
import type { FixedSizeDecoder } from "@solana/kit";
import {
${names.map((name) => `  get${name}Decoder,\n  type ${name},`).join("\n")}
} from "./types";

/** Fields of each event, by its name. */
export type Events = {
${names.map((name) => `  ${name}: ${name};`).join("\n")}
};

export type EventName = keyof Events;

/** The eight bytes in front of each event, and the decoder of what follows them. */
export const EVENTS: { [Name in EventName]: { discriminator: readonly number[]; decoder: FixedSizeDecoder<Events[Name]> } } = {
${events.map((event) => `  ${pascal(event.name)}: { discriminator: [${event.discriminator.join(", ")}], decoder: get${pascal(event.name)}Decoder() },`).join("\n")}
};
`,
);

// What Codama ends these files with takes the IDL's own program address for granted, and the IDL has none.
const CUT = {
  "programs/chorale.ts": "export type ChoralePlugin =",
  "errors/chorale.ts": "export function isChoraleError",
};

function cut(text, from) {
  const end = text.indexOf(from);
  if (end < 0) throw new Error(`There is no ${JSON.stringify(from)} any more: see to it that nothing was renamed.`);
  const kept = text.slice(0, end);
  const code = kept.slice(kept.indexOf("export const"));
  return kept.replace(/import \{([^}]*)\} from ("[^"]+");\n/g, (_, names, path) => {
    const used = names
      .match(/(type )?\w+/g)
      .filter((name) => new RegExp(`\\b${name.replace("type ", "")}\\b`).test(code));
    return used.length && path !== '"../accounts"' ? `import {\n  ${used.join(",\n  ")},\n} from ${path};\n` : "";
  });
}

// Codama imports folders, which bundlers find; Node itself wants files.
for (const file of readdirSync(GENERATED, { recursive: true }).filter((name) => name.endsWith(".ts"))) {
  const text = file in CUT ? cut(read(file), CUT[file]) : read(file);
  const named = text.replace(/from "(\.[^"]*)"/g, (_, path) => {
    const isFile = existsSync(`${join(GENERATED, dirname(file), path)}.ts`);
    return `from "${path}${isFile ? ".js" : "/index.js"}"`;
  });
  writeFileSync(GENERATED + file, named);
}
