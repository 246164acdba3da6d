"""Which media type an answer has: the Accept header against what /graphql can write."""

from dataclasses import dataclass

from api.problems import HttpProblem

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class _Range:
    """One entry of an Accept header."""

    kind: str
    quality: float


def answer_type(accept: str | None) -> str:
    """GRAPHQL where it is named and not ranked lower, JSON for anything else. Raises HttpProblem 406.

    A client that sends no Accept, or only wildcards, gets JSON: it may be older than the other type.
    """
    named = _named(accept)
    graphql, json = named.get(GRAPHQL, 0.0), _json(named)
    if graphql > 0 and graphql >= json:
        return GRAPHQL
    if json > 0 or named.get(EVENTS, 0.0) > 0:
        return JSON
    raise HttpProblem(406, f"/graphql answers with {GRAPHQL} or {JSON}; the Accept header allows neither.")


def is_stream(accept: str | None, *, goes_on: bool) -> bool:
    """Whether the answer is a stream of events. goes_on: of a subscription.

    What has one answer has it as JSON wherever the client takes JSON, however it ranks the two: clients name
    every type that they can read, whatever they ask.
    """
    named = _named(accept)
    takes_json = max(named.get(GRAPHQL, 0.0), _json(named)) > 0
    return named.get(EVENTS, 0.0) > 0 and (goes_on or not takes_json)


def require_json(content_type: str | None) -> None:
    """Raises HttpProblem 415 unless a body is said to be application/json in UTF-8."""
    kind, *parameters = [part.strip().lower() for part in (content_type or "").split(";")]
    if kind != JSON:
        raise HttpProblem(415, f"Send the request as {JSON}.", headers={"Accept": JSON})
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise HttpProblem(415, f"Send the request as {JSON} in UTF-8.", headers={"Accept": JSON})


def _named(accept: str | None) -> dict[str, float]:
    return {entry.kind: entry.quality for entry in _parse(accept or "*/*")}


def _json(named: dict[str, float]) -> float:
    return named.get(JSON, named.get("application/*", named.get("*/*", 0.0)))


def _parse(accept: str) -> list[_Range]:
    ranges = []
    for entry in accept.split(","):
        kind, *parameters = [part.strip().lower() for part in entry.split(";")]
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value)
        ranges.append(_Range(kind, quality))
    return ranges


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
