"""Small counts: the same set gives the same answer, nothing small is visible, and rounding has no bias."""

import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.small_counts import (
    Cell,
    Hidden,
    Policies,
    Policy,
    Published,
    new_secret,
    perturbed,
    publish,
    record_seed,
)

SECRET = bytes(range(32))
KEYS = st.integers(-(2**63), 2**63 - 1)
POLICIES = st.builds(Policy, st.integers(1, 50), st.integers(0, 20))


def keys(number: int) -> list[int]:
    rng = random.Random(number)
    return [rng.randint(-(2**63), 2**63 - 1) for _ in range(number)]


@given(count=st.integers(0, 9), key=KEYS, visible=st.integers(0, 1000))
def test_small_hidden_parts_are_suppressed_and_look_like_none(count: int, key: int, visible: int) -> None:
    hidden = Hidden(count, count, key if count else None)
    told = publish(Cell(visible, hidden), Policy(), SECRET)
    assert told == Published(None, visible + 9, suppressed=True)
    assert told == publish(Cell(visible, Hidden()), Policy(), SECRET)


@given(patients=st.integers(1, 9), studies=st.integers(10, 10_000), key=KEYS)
def test_few_patients_are_suppressed_however_many_studies_they_have(
    patients: int, studies: int, key: int
) -> None:
    hidden = Hidden(studies, patients, key, studies // patients)
    assert publish(Cell(0, hidden), Policy(), SECRET) == Published(None, 9, suppressed=True)


@given(visible=st.integers(0, 1000))
def test_where_nothing_hidden_was_asked_counts_are_exact(visible: int) -> None:
    assert publish(Cell(visible), Policy(), SECRET) == Published(visible)


@given(visible=st.integers(0, 1000), count=st.integers(10, 1000), key=KEYS)
def test_the_visible_part_is_added_as_it_is(visible: int, count: int, key: int) -> None:
    hidden = Hidden(count, count, key)
    alone = publish(Cell(0, hidden), Policy(), SECRET).value
    assert alone is not None
    assert publish(Cell(visible, hidden), Policy(), SECRET).value == visible + alone


@given(count=st.integers(0, 100_000), key=KEYS, policy=POLICIES)
def test_what_is_visible_is_never_below_the_threshold_nor_far_from_the_truth(
    count: int, key: int, policy: Policy
) -> None:
    value = perturbed(Hidden(count, count, key), policy, SECRET)
    assert (value is None) == (count < policy.threshold)
    if value is not None:
        assert value >= policy.threshold
        assert abs(value - count) <= policy.max_deviation


@given(count=st.integers(10, 100_000), largest=st.integers(1, 500), key=KEYS)
def test_large_contributions_are_rounded_in_large_steps(count: int, largest: int, key: int) -> None:
    value = perturbed(Hidden(count, 10, key, largest), Policy(), SECRET)
    assert value is not None
    assert value >= 10
    assert abs(value - count) < min(6 * 2 * largest, max(6, count / 2))


def test_steps_are_as_large_as_six_of_the_largest_contributions() -> None:
    values = [perturbed(Hidden(100_000, 50, key, 64), Policy(), SECRET) for key in keys(200)]
    assert {abs(value - 100_000) for value in values if value is not None} == {150, 234}  # of 6 times 64


@pytest.mark.parametrize("count", [10, 11, 12, 13, 14, 15, 16, 37, 1000])
@pytest.mark.parametrize("largest", [1, 3])
def test_rounding_has_no_bias_and_a_bounded_variance(count: int, largest: int) -> None:
    base = 6 * (1 if largest == 1 else 4)
    found = [perturbed(Hidden(count, count, key, largest), Policy(), SECRET) for key in keys(20_000)]
    values = [value for value in found if value is not None]
    assert len(values) == 20_000
    assert abs(mean(values) - count) < 4 * base / 2 / 20_000**0.5
    assert mean((value - count) ** 2 for value in values) <= base**2 / 4 * 1.01


def test_the_mean_over_many_cells_of_every_size_is_the_truth() -> None:
    cells = list(zip(keys(30_000), [10 + n % 300 for n in range(30_000)], strict=True))
    errors = [(perturbed(Hidden(n, n, key), Policy(), SECRET) or 0) - n for key, n in cells]
    print(f"\nmean error {mean(errors):+.4f}, variance {mean(e * e for e in errors):.2f}, max {max(errors)}")  # noqa: T201
    assert abs(mean(errors)) < 0.06
    assert max(map(abs, errors)) == 5


def test_the_same_set_gives_the_same_answer_with_this_secret_only() -> None:
    cells = [Cell(0, Hidden(101, 101, key)) for key in keys(500)]
    first = [publish(cell, Policy(), SECRET) for cell in cells]
    assert first == [publish(cell, Policy(), SECRET) for cell in cells]
    assert first != [publish(cell, Policy(), new_secret()) for cell in cells]
    assert record_seed(SECRET) == record_seed(SECRET) != record_seed(new_secret())


def test_the_strictest_policy_wins() -> None:
    policies = Policies(Policy(10, 5), {"ERN-EYE": Policy(20, 3), "ERN-RND": Policy(5, 9)})
    assert policies.strictest(["ERN-EYE"]) == Policy(20, 3)
    assert policies.strictest(["ERN-EYE", "ERN-RND", "VASCERN"]) == Policy(20, 9)
    assert policies.strictest([]) == Policy(10, 5)
