/**
 * The program's events in a transaction's log. Events are hints: where a log was cut, read the accounts again.
 *
 * `Program data:` lines count only while the program itself is on top of the invoke stack, so nobody can forge one by
 * calling it or being called beside it. Lines of a failed transaction are read too: look whether it landed.
 */
import { getBase64Encoder, type ReadonlyUint8Array } from "@solana/kit";
import { EVENTS, type EventName, type Events } from "./generated/events.js";

/** One event: its name, and its fields as the generated types have them. */
export type ChoraleEvent = { [Name in EventName]: { readonly name: Name; readonly data: Events[Name] } }[EventName];

/** Events in the order logged; `complete` is false where the log was cut or an event could not be read. */
export type EventsRead = { readonly events: readonly ChoraleEvent[]; readonly complete: boolean };

const DATA = "Program data: ";
const CUT = "Log truncated";
const DEPTH = /^\[([1-9][0-9]?)\]$/; // the runtime nests calls a handful deep
const DISCRIMINATOR_SIZE = 8;
const NAMES = new Map(
  Object.entries(EVENTS).map(([name, { discriminator }]) => [discriminator.join(), name as EventName]),
);

/** Reads the events that the program at `programAddress` logged. Whatever others log beside it is passed over. */
export function readEvents(logs: readonly string[], programAddress: string): EventsRead {
  const events: ChoraleEvent[] = [];
  const stack: string[] = [];
  let complete = true;
  for (const line of logs) {
    if (line === CUT) return { events, complete: false };
    if (!line.startsWith(DATA)) {
      follow(stack, line);
    } else if (stack.at(-1) === programAddress) {
      const raw = fromBase64(line.slice(DATA.length));
      const event = raw && decodeEvent(raw);
      if (event === undefined) complete = false;
      else if (event) events.push(event);
    }
  }
  return { events, complete };
}

/** The event in one logged slice; null where it is of no known type, undefined where it is of another size. */
export function decodeEvent(raw: ReadonlyUint8Array): ChoraleEvent | null | undefined {
  const name = NAMES.get(raw.slice(0, DISCRIMINATOR_SIZE).join());
  if (name === undefined) return null;
  const { decoder } = EVENTS[name];
  if (raw.length !== DISCRIMINATOR_SIZE + decoder.fixedSize) return undefined;
  return { name, data: decoder.decode(raw, DISCRIMINATOR_SIZE) } as ChoraleEvent;
}

/** One slice is one base64 word; several words, or other text, are somebody else's convention. */
function fromBase64(text: string): ReadonlyUint8Array | null {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? getBase64Encoder().encode(text)
    : null;
}

/** Keeps the invoke stack: `Program <id> invoke [n]`, `Program <id> success`, `Program <id> failed: …`. */
function follow(stack: string[], line: string): void {
  const [program, id, word, ...rest] = line.split(" ");
  // A program's own text is always behind a second word with a colon ("log:", "return:"), which no id has.
  if (program !== "Program" || id === undefined || word === undefined || id.endsWith(":")) return;
  if (word === "invoke") {
    const depth = DEPTH.exec(rest.join(" "))?.[1];
    if (depth !== undefined) stack.splice(Number(depth) - 1, stack.length, id);
  } else if (stack.at(-1) === id && (word === "success" || word.startsWith("failed"))) {
    stack.pop();
  }
}
