"""Documents that were parsed, measured and found valid before, by their whole text: clients send the same ones again
and again. Who may send which, and what it costs with these variables, is asked each time (graphql/guard.py)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from graphql import DocumentNode

from api.document.introspection import introspects
from api.document.limits import Measure

# Nodes and tokens of a document take some 80 bytes for each character of it: 20 MB in all.
MOST_CHARACTERS: Final = 250_000


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document within the limits and valid under the schema."""

    document: DocumentNode
    measured: Measure
    introspects: bool

    @classmethod
    def of(cls, document: DocumentNode, measured: Measure) -> "KnownDocument":
        return cls(document, measured, introspects(document))


class KnownDocuments:
    """Those of one schema; beyond so many characters the one that was not asked for longest goes."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._characters = 0
        self._documents: OrderedDict[str, KnownDocument] = OrderedDict()

    def get(self, text: str | None) -> KnownDocument | None:
        """What is known of this text, if it was kept."""
        if text is None or (known := self._documents.get(text)) is None:
            return None
        self._documents.move_to_end(text)
        return known

    def keep(self, text: str, known: KnownDocument) -> None:
        """For the next time. One document that would take an eighth of the room is not kept."""
        if text in self._documents or len(text) > self._most // 8:
            return
        self._documents[text] = known
        self._characters += len(text)
        while self._characters > self._most:
            self._characters -= len(self._documents.popitem(last=False)[0])
