import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { GraphiQL } from "graphiql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { examples } from "./examples.ts";
import { createFetcher } from "./fetcher.ts";
import { Memory } from "./memory.ts";

const memory = new Memory();
const fetcher = createFetcher(memory);

const defaultTabs = examples.map(({ query, variables, as }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : "",
  headers: as ? JSON.stringify({ Authorization: `Bearer {{SignIn.${as.toLowerCase()}.token}}` }, null, 2) : "",
}));

const container = document.getElementById("graphiql");
if (!container) throw new Error("The page has no #graphiql element.");
container.textContent = "";
container.style.height = "100dvh";
document.body.style.margin = "0";

createRoot(container).render(
  <StrictMode>
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={defaultTabs}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
    />
  </StrictMode>,
);
