import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server serves this folder under /static/graphiql/ and index.html at /; the output is committed and must not vary.
export default defineConfig({
  base: "/static/graphiql/",
  plugins: [react()],
  worker: { format: "es" },
  build: {
    outDir: "../../resolvers/static/graphiql",
    emptyOutDir: true,
    sourcemap: false,
    target: "es2022",
    chunkSizeWarningLimit: 8000,
  },
});
