"""Small counts: what may be published of a cell that hidden records are in. Pure arithmetic, no I/O.

The cell-key method (Fraser & Wooton 2005, ABS TableBuilder; Thompson, Broadfoot & Elazar 2013): each record
has a fixed secret key, a cell's key is a function of the keys of the records in it, and the key decides the
perturbation. So the same set of records always gives the same answer, however a query words it, and asking
again averages nothing out. Four choices are ours:

- The cell key is the *smallest* record key, not their sum. With a sum, one record more or less draws new
  noise for the whole cell: two answers that differ prove that the sets differ, which tells an attacker who
  asks with and without the target that the target is in (tests/access/test_differencing.py measures both).
  The smallest key of n records changes with one of them in only one case of n.
- The perturbation is random rounding, unbiased, on the grid threshold, threshold + base, …, where
  base = max_deviation + 1 and the cell key says where each step of the grid is rounded up. Nothing visible is
  ever below the threshold or further than max_deviation from the truth, and one patient more or less changes
  the answer in about one case of `base`. The variance is that of rounding, at most base² / 4.
- The patient is what is protected, not the row: below `threshold` patients a cell is hidden, and counts of
  studies, series or instances are rounded to `base` times the largest contribution of one patient (as a power
  of two, so that it does not tell that contribution): a patient with twelve studies hides like one with one.
  The steps end at half of the count, or nothing would be left to tell: who contributes more than a
  twenty-fourth of a cell hides the less, the larger the share.
- Visible and hidden records are not mixed. What the viewer may see counts exactly; records that only hidden
  archives hold are protected on their own, and added. Noise on the sum would be drawn anew for each choice of
  visible archives and average out, and a cell that turned out exact would say that nothing hidden is in it.

An empty cell is hidden like a small one. A cell is exact only where the query asks no hidden archive for it.
Totals and cells are perturbed each by its own key: they need not add up.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

THRESHOLD = 10
MAX_DEVIATION = 5

_FRACTION_BITS = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """`threshold`: fewer patients are hidden. `max_deviation`: of a count to which each contributes one."""

    threshold: int = THRESHOLD
    max_deviation: int = MAX_DEVIATION


@dataclass(frozen=True, slots=True)
class Hidden:
    """The hidden records of a cell: `key` is the smallest of their record keys (None: there are none),
    `largest` the largest part of `count` that one patient contributes."""

    count: int = 0
    patients: int = 0
    key: int | None = None
    largest: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: `visible` records count exactly; `hidden` is None where no hidden archive was asked for it."""

    visible: int
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What may be told. Suppressed: `value` is None, and `at_most` is the visible part plus the largest
    number of patients that stays hidden."""

    value: int | None
    at_most: int | None = None
    suppressed: bool = False


def publish(cell: Cell, policy: Policy, secret: bytes) -> Published:
    """The published form of a cell; `secret` is the key that the federation shares, at most 64 bytes."""
    if cell.hidden is None:
        return Published(cell.visible)
    protected = perturbed(cell.hidden, policy, secret)
    if protected is None:
        return Published(None, cell.visible + policy.threshold - 1, suppressed=True)
    return Published(cell.visible + protected)


def perturbed(hidden: Hidden, policy: Policy, secret: bytes) -> int | None:
    """The protected count of hidden records; None where it is suppressed."""
    if hidden.key is None or min(hidden.patients, hidden.count) < policy.threshold:
        return None
    step = policy.max_deviation + 1
    base = min(step * _power_of_two(hidden.largest), max(step, _power_of_two(hidden.count // 2 + 1) // 2))
    offset = _fraction(hidden.key, secret) * base >> _FRACTION_BITS
    return policy.threshold + (hidden.count - policy.threshold + offset) // base * base


@dataclass(frozen=True, slots=True)
class Policies:
    """What each ERN demands: `by_ern` where it has an own policy, else `default`."""

    default: Policy = Policy()
    by_ern: dict[str, Policy] = field(default_factory=dict)

    def follow(self, by_ern: Mapping[str, Policy]) -> None:
        """ERNs demand this from now on."""
        self.by_ern.clear()
        self.by_ern.update(by_ern)

    def strictest(self, erns: Iterable[str]) -> Policy:
        """The policy of a cell that these ERNs may contribute to; whether they do is a secret."""
        found = [self.by_ern.get(ern, self.default) for ern in erns] or [self.default]
        return Policy(max(each.threshold for each in found), max(each.max_deviation for each in found))


def new_secret() -> bytes:
    """The key of record keys and perturbations; the federation keeps it (db/secrets.py)."""
    return secrets.token_bytes(32)


def record_seed(secret: bytes) -> int:
    """What keys the record keys: 64 bits, signed."""
    digest = hashlib.blake2b(key=secret, person=b"record keys", digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _fraction(key: int, secret: bytes) -> int:
    """Uniform below 2**64, fixed by the cell key and the secret."""
    digest = hashlib.blake2b(key.to_bytes(8, "big", signed=True), key=secret, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _power_of_two(value: int) -> int:
    """The smallest power of two that is not below `value`."""
    return 1 << (max(value, 1) - 1).bit_length()
