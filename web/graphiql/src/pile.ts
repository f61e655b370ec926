/** GraphiQL shows what came last. Of a subscription, this makes it everything that came, newest first. */

const MOST = 100;

export interface Pile<Result> {
  readonly received: readonly Result[];
}

export function piled<Result>(results: AsyncIterable<Result>): AsyncIterableIterator<Pile<Result>> {
  const source = results[Symbol.asyncIterator]();
  let received: readonly Result[] = [];
  return {
    async next() {
      const { done, value } = await source.next();
      if (done) return { done, value: undefined };
      received = [value as Result, ...received].slice(0, MOST);
      return { done: false, value: { received } };
    },
    // Not a generator: its return() would wait for the event that is awaited, and the subscription would live on.
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
