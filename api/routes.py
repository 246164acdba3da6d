"""What a route says of itself. One that says nothing is closed: nobody reaches it unless it is known who asks
(api/admission/gate.py)."""

from starlette.routing import Route, WebSocketRoute


class OpenRoute(Route):
    """Anybody may ask: pages without data, health, the way to sign in."""


class ScrapedRoute(Route):
    """Besides those who are known, the scraper of metrics may ask, by a token that opens nothing else."""


class AskingRoute(WebSocketRoute):
    """Anybody may connect, and is asked then who they are (api/graphql/websocket.py)."""
