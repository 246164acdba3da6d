"""What a text search means, whatever is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import BadInput
from model.filters import TextTest, ranked_by
from model.text_search import MAX_WORDS, parse_text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("knee", TextTest(("knee",))),
        ("  knee   left ", TextTest(("knee", "left"))),
        ("kne*", TextTest(("kne",))),
        ("t1-mprage knie/links", TextTest(("t1", "mprage", "knie", "links"))),
        ('"left knee"', TextTest(phrases=(("left", "knee"),))),
        ('mr "left knee" sag', TextTest(("mr", "sag"), (("left", "knee"),))),
        ("mr -knee", TextTest(("mr",), excluded_words=("knee",))),
        ('mr -"left knee"', TextTest(("mr",), excluded_phrases=(("left", "knee"),))),
        ("mr -t1-mprage", TextTest(("mr",), excluded_phrases=(("t1", "mprage"),))),
        ("-knee", TextTest(excluded_words=("knee",))),
        ("a OR b c", TextTest(("a",), others=(TextTest(("b", "c")),))),
        ("a or b", TextTest(("a", "or", "b"))),
        ("OR a OR OR b OR", TextTest(("a",), others=(TextTest(("b",)),))),
        ("OR", TextTest(("OR",))),
        ('left "knee', TextTest(("left", "knee"))),
        ('kn"ee le"ft', TextTest(("kn", "ee", "le", "ft"))),
        ('"" knee "…"', TextTest(("knee",))),
        ("t1 - t2 --t3", TextTest(("t1", "t2", "t3"))),
        ("(a & b) | !c:* <-> 'd'", TextTest(("a", "b", "c", "d"))),
        ("Schädel μαστού", TextTest(("Schädel", "μαστού"))),
    ],
)
def test_a_text_is_its_terms(text: str, meant: TextTest) -> None:
    assert parse_text(text) == meant


@pytest.mark.parametrize("text", ["", "   ", '""', "-", '"--" * ?', "w " * (MAX_WORDS + 1), "a OR " * 21])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="words"):
        parse_text(text)


def test_what_only_excludes_does_not_rank() -> None:
    assert ranked_by(parse_text("-knee")) is None
    assert ranked_by(parse_text("-knee OR hip")) is not None


@given(st.text(alphabet=st.sampled_from("ab -\"*OR'\\&|!():<> é山"), max_size=60))
def test_every_text_is_a_search_or_bad_input(text: str) -> None:
    try:
        found = parse_text(text)
    except BadInput:
        return
    assert found.ranks or found.excluded_words or found.excluded_phrases or found.others
