"""HTTP: the ASGI application, GraphQL over HTTP, limits, error codes, health."""
