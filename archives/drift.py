"""When what a probe found no longer holds: the server says otherwise now, or says that it is another one.

`known` is what a probe wrote down (probe.py): name → value for people to read, "yes" or "no: why" in front.
"""

from collections.abc import Mapping

from archives.abilities import Abilities

UNSAID = "unknown: it does not say"
RELEARN_AFTER = 86_400.0  # seconds: servers are updated, and nobody tells us


def contradiction(known: Mapping[str, str], seen: Abilities, server: str | None) -> str | None:
    """What was seen that a probe had found otherwise, as a sentence; None where nothing was.

    server: what the server says that it is.
    """
    before = known.get("server", UNSAID)
    if server is not None and before not in (UNSAID, server):
        return f"its server was another one ({before}) than now ({server})"
    if seen.pages.moves_on is False and _is_yes(known.get("offset")):
        return "it no longer honours offset"
    if seen.answers_others and _is_yes(known.get("keys")):
        return "it answers others than those that it is asked for"
    if seen.pages.cap is not None and known.get("cap", "").startswith("none"):
        return "it caps its answers now"
    learned = {
        "uid_list": seen.uid_list,
        "query_decoding": seen.query_decoding,
        "includefield": seen.includefield,
        "top_level_series": seen.top_level,
    }
    for name, holds in learned.items():
        if holds is False and _is_yes(known.get(name)):
            return f"it no longer does {name}"
    return None


def _is_yes(value: str | None) -> bool:
    return value is not None and value.startswith("yes")
