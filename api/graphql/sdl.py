"""schema.graphql: the schema as text, the same bytes for the same schema."""

from strawberry import Schema


def sdl(schema: Schema) -> str:
    """SDL with one newline at the end."""
    return schema.as_str().strip() + "\n"
