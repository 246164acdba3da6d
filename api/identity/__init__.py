"""Who is asking: access tokens, browser sessions, signing in at the OpenID provider."""
