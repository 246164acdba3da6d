"""Declared attributes: those that an operator wants to be fast to filter by. Each is a path at a level."""

from dataclasses import dataclass

from model.attributes import Level
from model.paths import AttributePath


@dataclass(frozen=True, slots=True)
class Declared:
    """`path` is in data sets of `level`; of series in those of representatives as well."""

    path: AttributePath
    level: Level

    @property
    def key(self) -> tuple[Level, tuple[str, ...]]:
        """The same for all names of the attribute."""
        return self.level, self.path.codes
