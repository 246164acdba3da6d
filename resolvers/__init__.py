"""The GraphQL schema: here the root fields, the schema and what a request has at hand; types stand in folders by their
noun. Nothing of HTTP, no SQL; what needs no GraphQL is in reads."""
