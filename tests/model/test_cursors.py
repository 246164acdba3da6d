"""Cursors: what is sealed comes back, in its own order, for its time; anything else is refused."""

import base64
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import cursors
from model.cursors import MAX_LENGTH, Cursors, Position
from model.errors import BadCursor

KEY = bytes(range(64))
SEALER = Cursors(KEY, lifetime_hours=24)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
VALUES = st.one_of(
    st.none(),
    TEXT,
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
POSITIONS = st.builds(
    Position, st.lists(VALUES, max_size=4).map(tuple), st.from_regex(r"[0-9.]{1,64}", fullmatch=True)
)


@given(POSITIONS, TEXT)
def test_what_is_sealed_comes_back(position: Position, order: str) -> None:
    opened = SEALER.open(order, SEALER.seal(order, position))
    assert opened == position
    assert [type(value) for value in opened.values] == [type(value) for value in position.values]


@given(POSITIONS)
def test_the_same_position_has_the_same_cursor(position: Position) -> None:
    """Two processes, and a page read twice, give out one cursor for one row."""
    assert SEALER.seal("o", position) == Cursors(KEY, 24).seal("o", position)
    assert SEALER.seal("o", position) != SEALER.seal("p", position)


@given(POSITIONS, st.data())
def test_any_changed_bit_is_refused(position: Position, data: st.DataObject) -> None:
    cursor = SEALER.seal("o", position)
    box = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    box[data.draw(st.integers(0, len(box) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadCursor):
        SEALER.open("o", base64.urlsafe_b64encode(box).rstrip(b"=").decode())


@given(POSITIONS, st.data())
def test_any_part_of_a_cursor_is_refused(position: Position, data: st.DataObject) -> None:
    cursor = SEALER.seal("o", position)
    cut = data.draw(st.integers(1, len(cursor)))
    for part in (cursor[:-cut], cursor[cut:], cursor + "A" * cut):
        with pytest.raises(BadCursor):
            SEALER.open("o", part)


@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="start again without it"):
        SEALER.open("o", text)


@given(POSITIONS)
def test_a_cursor_belongs_to_its_order_and_its_key(position: Position) -> None:
    cursor = SEALER.seal("study:STUDY_DATE-", position)
    with pytest.raises(BadCursor):
        SEALER.open("study:STUDY_DATE+", cursor)
    with pytest.raises(BadCursor):
        Cursors(Cursors.new_key(), 24).open("study:STUDY_DATE-", cursor)


@pytest.mark.parametrize("other", ["", "doctor", "Doktor", "doktor "])
def test_of_another_person(other: str) -> None:
    position = Position((date(2024, 5, 1),), "1.2")
    cursor = SEALER.of("doktor").seal("o", position)
    assert SEALER.of("doktor").open("o", cursor) == position
    with pytest.raises(BadCursor):
        SEALER.of(other).open("o", cursor)


@pytest.mark.parametrize(("age", "alive"), [(-2, False), (-1, True), (0, True), (24, True), (25, False)])
def test_a_cursor_lives_its_time(monkeypatch: pytest.MonkeyPatch, age: int, alive: bool) -> None:
    """An hour ahead is another process whose clock is seconds ahead, at the turn of the hour."""
    position = Position(
        (date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)), "1.2"
    )
    monkeypatch.setattr(cursors, "_this_hour", lambda: 1000)
    cursor = SEALER.seal("o", position)
    monkeypatch.setattr(cursors, "_this_hour", lambda: 1000 + age)
    if alive:
        assert SEALER.open("o", cursor) == position
    else:
        with pytest.raises(BadCursor, match="older than 24 hours"):
            SEALER.open("o", cursor)


def test_a_cursor_tells_nothing() -> None:
    cursor = SEALER.seal("o", Position(("Müller^Hans", date(2020, 1, 1)), "1.2.840"))
    box = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"ller" not in box
    assert b"2020" not in box
    assert b"1.2.840" not in box


def test_no_cursor_is_too_long_for_its_own_server() -> None:
    """An index row, and so a sort value, ends at 2,704 bytes; an order has at most eight keys."""
    position = Position(("あ" * 901,) * 8, "1." * 31 + "1")
    cursor = SEALER.seal("o", position)
    assert len(cursor) < MAX_LENGTH
    assert SEALER.open("o", cursor) == position
