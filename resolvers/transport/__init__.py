"""GraphQL over HTTP and over WebSocket (graphql-transport-ws), and the pages beside it."""
