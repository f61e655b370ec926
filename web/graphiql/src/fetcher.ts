import { createGraphiQLFetcher, isAsyncIterable, type Fetcher } from "@graphiql/toolkit";
import { GraphQLError, Kind, parse, type DocumentNode } from "graphql";
import { createClient } from "graphql-ws";
import { EmptyPlaceholder, type Json, type Memory } from "./memory.ts";
import { piled } from "./pile.ts";

const socketUrl = (): string => new URL("/graphql", location.href.replace(/^http/, "ws")).href;

/** GraphiQL's fetcher with placeholders filled before an operation is sent and learnt from after it. */
export function createFetcher(memory: Memory): Fetcher {
  return async (params, options) => {
    // Right after a change of tabs GraphiQL still holds name and document of the tab before.
    const documentAST = parsed(params.query);
    const names = operationsIn(documentAST);
    const operationName = names.length === 1 ? names[0] : names.find((name) => name === params.operationName);
    try {
      const headers = memory.fill((options?.headers ?? {}) as Json) as Record<string, string>;
      const variables = memory.fill((params.variables ?? {}) as Json) as Record<string, unknown>;
      const asked = { ...params, operationName: operationName ?? null, variables };
      const result = await sendWith(headers)(asked, { ...options, headers, ...(documentAST && { documentAST }) });
      if (isAsyncIterable(result)) return piled(result) as never;
      // Answers are remembered for the tabs that follow.
      if (!("subscribe" in result) && operationName && "data" in result && result.data) {
        memory.learn(operationName, result.data as Json);
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
  // Without it an answer over HTTP is one value, as the server sends it, and not a stream of parts.
  return createGraphiQLFetcher({ url: "/graphql", wsClient, enableIncrementalDelivery: false });
}

function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof GraphQLError) return undefined; // the server says what is wrong with it
    throw error;
  }
}

function operationsIn(document: DocumentNode | undefined): string[] {
  return (document?.definitions ?? []).flatMap((each) =>
    each.kind === Kind.OPERATION_DEFINITION && each.name ? [each.name.value] : [],
  );
}
