"""GraphQL over HTTP and WebSocket: the way in, what guards the schema, errors as clients read them."""
