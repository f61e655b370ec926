/** Values that earlier answers gave, and the `{{name}}` placeholders that they fill. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A placeholder that nothing has filled yet; the message names the operation to run first. */
export class EmptyPlaceholder extends Error {
  constructor(readonly placeholder: string) {
    super(`{{${placeholder}}} is not known yet: run the operation that gives it first (the tabs are in order).`);
  }
}

const PLACEHOLDER = /\{\{([\w.]+)\}\}/g;

export class Memory {
  readonly #values = new Map<string, string>();

  /** Keep what an answer gave. Names are `operationName.path`, so `Prepare_thread.transaction`, lists by index. */
  learn(operationName: string, data: Json): void {
    this.#walk(operationName, data);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The same structure with every placeholder filled. Throws EmptyPlaceholder where one is not known. */
  fill(value: Json): Json {
    if (typeof value === "string") {
      return value.replaceAll(PLACEHOLDER, (_, name: string) => {
        const known = this.#values.get(name);
        if (known === undefined) throw new EmptyPlaceholder(name);
        return known;
      });
    }
    if (Array.isArray(value)) return value.map((item) => this.fill(item));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item)]));
    }
    return value;
  }

  #walk(path: string, value: Json): void {
    if (value === null) return;
    if (typeof value === "object") {
      for (const [key, item] of Object.entries(value)) this.#walk(`${path}.${key}`, item);
      return;
    }
    this.#values.set(path, String(value));
  }
}
