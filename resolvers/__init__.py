"""The GraphQL schema: types, root fields, inputs, connections, dataloaders. Nothing of HTTP, no SQL."""
