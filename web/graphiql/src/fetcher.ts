import { createGraphiQLFetcher, isAsyncIterable, type Fetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";
import { EmptyPlaceholder, type Json, type Memory } from "./memory.ts";
import { piled } from "./pile.ts";

const socketUrl = (): string => new URL("/graphql", location.href.replace(/^http/, "ws")).href;

/** GraphiQL's fetcher with placeholders filled before an operation is sent and learnt from after it. */
export function createFetcher(memory: Memory): Fetcher {
  return async (params, options) => {
    const name = params.operationName ?? nameOf(params.query);
    try {
      const headers = memory.fill((options?.headers ?? {}) as Json) as Record<string, string>;
      const variables = memory.fill((params.variables ?? {}) as Json) as Record<string, unknown>;
      const result = await sendWith(headers)({ ...params, variables }, { ...options, headers });
      if (isAsyncIterable(result)) return piled(result) as never;
      // Answers are remembered for the tabs that follow.
      if (!("subscribe" in result) && name && "data" in result && result.data) {
        memory.learn(name, result.data as Json);
      }
      return result;
    } catch (error) {
      if (error instanceof EmptyPlaceholder) return { errors: [{ message: error.message }] } as never;
      throw error;
    }
  };
}

/** The token belongs to the connection, so every set of headers gets a socket of its own, closed when unused. */
function sendWith(headers: Record<string, string>): Fetcher {
  const authorization = headers["Authorization"] ?? headers["authorization"];
  const wsClient = createClient({
    url: socketUrl(),
    lazy: true,
    lazyCloseTimeout: 1000,
    connectionParams: authorization ? { authorization } : {},
  });
  return createGraphiQLFetcher({ url: "/graphql", wsClient });
}

function nameOf(query: string): string | undefined {
  return /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];
}
