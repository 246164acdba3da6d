"""Reading the index for whoever asks, whatever the face: which archives a list asks, its page, its counts, what it
lacks and says of it. No GraphQL (that is resolvers), no SQL (that is db)."""
