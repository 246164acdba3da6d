"""The differencing attack: what two answers tell of the one patient in whom their queries differ.

The attacker asks a query and the same without the target, on generated data. Two games:
- member: is the target's record in the hidden archive at all? (If not, both answers are of the same set.)
- order: the target is in; which of the two answers is the one with the target?
The best guess is Bayes', learnt from 10,000 pairs and judged on 10,000 others.
Advantage: P(right) - P(wrong).

What is answered from rollups is exact and not of this: who may only count is never answered from there
(tests/db/statistics/test_stats.py, tests/resolvers/statistics/test_stats.py).
"""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import pytest

from access.small_counts import Cell, Hidden, Policy, publish

pytestmark = pytest.mark.timeout(600)

PAIRS = 10_000
SECRET = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Study:
    patient: int
    key: int
    modality: int
    body_part: int
    maker: int
    archive: int
    instances: int


def population(rng: random.Random, patients: int) -> list[Study]:
    """Most patients have one to three studies, some have dozens; values are skewed, as in life."""
    found = []
    for patient in range(patients):
        home = rng.randrange(6)
        for _ in range(min(40, int(rng.paretovariate(1.3)))):
            modality, body_part, maker = (min(int(rng.paretovariate(1.0)) - 1, most) for most in (5, 7, 4))
            key, instances = rng.randint(-(2**63), 2**63 - 1), int(rng.paretovariate(0.8)) % 3000 + 1
            found.append(Study(patient, key, modality, body_part, maker, home, instances))
    return found


Mechanism = Callable[[list[Study]], Hashable]


def exact(studies: list[Study]) -> Hashable:
    return len(studies)


def protected(studies: list[Study], weigh: Callable[[Study], int] | None = None) -> Hashable:
    by_patient = Counter([study.patient for study in studies])
    if weigh is not None:
        by_patient.clear()
        for study in studies:
            by_patient[study.patient] += weigh(study)
    key = min([study.key for study in studies], default=None)
    hidden = Hidden(by_patient.total(), len(by_patient), key, max(by_patient.values(), default=1))
    return publish(Cell(0, hidden), Policy(), SECRET).value


def protected_instances(studies: list[Study]) -> Hashable:
    return protected(studies, lambda study: study.instances)


def protected_patients(studies: list[Study]) -> Hashable:
    firsts = {study.patient: study for study in sorted(studies, key=lambda each: -each.key)}
    return protected(list(firsts.values()))


def noise_by_sum(studies: list[Study]) -> Hashable:
    """The textbook form: the cell key is the sum of all keys and picks a deviation from -5 to 5."""
    if len(studies) < 10:
        return None
    return max(10, len(studies) + random.Random(sum(study.key for study in studies)).randint(-5, 5))


def pairs(rng: random.Random, studies: list[Study]) -> list[tuple[list[Study], list[Study]]]:
    """(with, without) the target, of queries that match it: by up to three values and some archives."""
    index: dict[tuple[str, int], list[Study]] = {}
    for study in studies:
        for name in ("modality", "body_part", "maker"):
            index.setdefault((name, getattr(study, name)), []).append(study)
    found = []
    for _ in range(PAIRS):
        one = rng.choice(studies)
        names = rng.sample(["modality", "body_part", "maker"], rng.randint(1, 3))
        archives = {one.archive, *rng.sample(range(6), rng.randint(0, 5))}
        wanted = {name: getattr(one, name) for name in names}
        rare = min((index[item] for item in wanted.items()), key=len)
        match = [
            study
            for study in rare
            if study.archive in archives and all(getattr(study, n) == v for n, v in wanted.items())
        ]
        found.append((match, [study for study in match if study.patient != one.patient]))
    return found


def bins(rng: random.Random, studies: list[Study]) -> list[tuple[list[Study], list[Study]]]:
    """(with, without) the target in one bin of a histogram, whose edges the attacker chooses as they like."""
    found = []
    by_size = sorted(studies, key=lambda study: study.instances)
    sizes = [study.instances for study in by_size]
    for _ in range(PAIRS):
        one = rng.choice(studies)
        low, width = one.instances - rng.randint(0, 20), rng.choice([1, 5, 20, 100])
        archives = {one.archive, *rng.sample(range(6), rng.randint(0, 5))}
        end = max(low + width, one.instances + 1)
        inside = by_size[bisect_left(sizes, low) : bisect_left(sizes, end)]
        match = [study for study in inside if study.archive in archives]
        found.append((match, [study for study in match if study.patient != one.patient]))
    return found


Clue = Hashable


def clue(first: Hashable, second: Hashable) -> Clue:
    """What the attacker looks at: the difference, or which answer is hidden."""
    if isinstance(first, int) and isinstance(second, int):
        return first - second
    return (first is None, second is None)


def advantage(yes: list[Clue], no: list[Clue]) -> float:
    """Of the best guess between two equally likely worlds: learnt on one half, judged on the other."""
    half = len(yes) // 2
    learnt = Counter(yes[:half])
    learnt.subtract(Counter(no[:half]))
    right = sum(learnt[each] > 0 for each in yes[half:]) + sum(learnt[each] <= 0 for each in no[half:])
    return right / half - 1


def play(mechanism: Mechanism, asked: list[tuple[list[Study], list[Study]]]) -> tuple[float, float]:
    answers = [(mechanism(whole), mechanism(rest)) for whole, rest in asked]
    member = advantage([clue(a, b) for a, b in answers], [clue(b, b) for _, b in answers])
    order = advantage([clue(a, b) for a, b in answers], [clue(b, a) for a, b in answers])
    return member, order


@pytest.fixture(scope="module")
def asked() -> list[tuple[list[Study], list[Study]]]:
    rng = random.Random(20)
    studies = population(rng, 1_500)
    return pairs(rng, studies) + pairs(rng, studies)


def test_without_protection_the_attacker_knows(asked: list[tuple[list[Study], list[Study]]]) -> None:
    assert min(play(exact, asked)) > 0.999


@pytest.mark.parametrize("mechanism", [protected, protected_patients, protected_instances])
def test_with_protection_the_attacker_hardly_gains(
    asked: list[tuple[list[Study], list[Study]]], mechanism: Mechanism
) -> None:
    member, order = play(mechanism, asked)
    print(f"\n{mechanism.__name__}: member {member:.3f}, order {order:.3f}")  # noqa: T201
    assert member <= 0.20
    assert order <= 0.20


def test_a_bin_of_a_histogram_tells_no_more() -> None:
    rng = random.Random(21)
    studies = population(rng, 1_500)
    asked = bins(rng, studies) + bins(rng, studies)
    member, order = play(protected, asked)
    print(f"\nbins: member {member:.3f}, order {order:.3f}")  # noqa: T201
    assert min(play(exact, asked)) > 0.999
    assert member <= 0.20
    assert order <= 0.20


def test_who_is_many_records_of_a_cell_hides_less(asked: list[tuple[list[Study], list[Study]]]) -> None:
    heavy = [(whole, rest) for whole, rest in asked if len(whole) - len(rest) >= 5]
    light = [(whole, rest) for whole, rest in asked if 24 * (len(whole) - len(rest)) <= len(whole)]
    print(f"\nfive studies or more ({len(heavy)} pairs): {play(protected, heavy)[0]:.3f}")  # noqa: T201
    print(f"at most a 24th of the cell ({len(light)} pairs): {play(protected, light)[0]:.3f}")  # noqa: T201
    assert play(exact, heavy)[0] > 0.99
    assert play(protected, heavy)[0] <= 0.25
    assert play(protected, light)[0] <= 0.20


def test_noise_by_the_exact_set_would_tell_who_is_in(
    asked: list[tuple[list[Study], list[Study]]],
) -> None:
    """Why the cell key is the smallest record key and not their sum."""
    member, order = play(noise_by_sum, asked)
    print(f"\nnoise by the sum of keys: member {member:.3f}, order {order:.3f}")  # noqa: T201
    assert member > 0.5
