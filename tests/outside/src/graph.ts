/** A small GraphQL client: HTTP for queries and mutations, graphql-transport-ws for subscriptions. */
import { createClient, type Client } from "graphql-ws";
import WebSocket from "ws";

export type Data = { [key: string]: any };

export class Graph {
  constructor(
    readonly url: string,
    readonly token: string | null = null,
  ) {}

  async run(query: string, variables: Data = {}): Promise<Data> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as Data;
    if (answer["errors"]) throw new Error(`${query}\n${JSON.stringify(answer["errors"])}`);
    return answer["data"] as Data;
  }

  socket(): Client {
    return createClient({
      url: this.url.replace(/^http/, "ws"),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: this.token === null ? {} : { authorization: `Bearer ${this.token}` },
    });
  }
}

/** Follow a thread's events from a cursor until one satisfies `until`; gives all that were seen. */
export async function follow(graph: Graph, threadId: string, after: string, until: (event: Data) => boolean): Promise<Data[]> {
  const socket = graph.socket();
  const seen: Data[] = [];
  const query = `subscription ($threadId: Hash!, $after: Cursor) { threadEvents(threadId: $threadId, after: $after) {
    __typename version signature ... on MessagePublished { message { contentHash status body } } ... on VoteCast { vote { approve } } } }`;
  try {
    for await (const result of socket.iterate<Data>({ query, variables: { threadId, after } })) {
      if (result.errors) throw new Error(JSON.stringify(result.errors));
      const event = (result.data as Data)["threadEvents"] as Data;
      seen.push(event);
      if (until(event)) return seen;
    }
    throw new Error("the subscription ended early");
  } finally {
    await socket.dispose();
  }
}
