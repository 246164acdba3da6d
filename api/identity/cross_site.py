"""Whether a request that a cookie speaks for was made by our own page, and not by one elsewhere.

A browser sends cookies with what any page makes it send. Ours say so: by a header that a page elsewhere
cannot set, or by what the browser itself tells of the origin (Fetch Metadata, Origin).
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from api.problems import HttpProblem

HEADER = "x-ernfed-csrf"
"""Any value. Fetch lets a page elsewhere set it only after a preflight, which is never answered."""

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "")
_SAFE = ("GET", "HEAD")


def origin_of(connection: HTTPConnection, public_url: str | None) -> str:
    """`https://ernfed.example.org`: where the browser believes to be."""
    if public_url is not None:
        parts = urlsplit(public_url)
        return f"{parts.scheme}://{parts.netloc}"
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    return f"{scheme}://{connection.headers.get('host', '')}"


def refuse_elsewhere(connection: HTTPConnection) -> None:
    """Raises HttpProblem 403 for what a page elsewhere makes a browser do, whoever is asking: of use where nobody has
    to say who they are, and where an answer is dear."""
    if connection.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise HttpProblem(
            403, "This request comes from a page elsewhere. Open the address itself.", code="CROSS_SITE"
        )


def refuse_cross_site(connection: HTTPConnection, public_url: str | None) -> None:
    """Raises HttpProblem 403 unless the request can only come from our own page."""
    headers = connection.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    ours = origin is not None and origin.lower() == origin_of(connection, public_url).lower()
    wrong = (site is not None and site != "same-origin") or (origin is not None and not ours)
    named = HEADER in headers
    known = ours or site == "same-origin"
    if connection.scope["type"] == "websocket":
        good = ours  # a browser always says it, and can say nothing else
    elif connection.scope["method"] in _SAFE:
        good = named or known
    else:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        good = named or (known and kind not in _FORM_TYPES)
    if wrong or not good:
        raise HttpProblem(
            403,
            "This request is signed in by a cookie and does not come from this server's own page. "
            f"Send the header {HEADER.title()}: 1, or an access token as Authorization: Bearer.",
            code="CROSS_SITE",
        )
