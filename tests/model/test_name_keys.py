"""Keys of names: which words sound alike, which do not, and what is sought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.name_keys import MAX_TEXT, keys_of, sought
from model.name_letters import lower, plain
from model.name_sounds import MOST_KEYS, sounds


def keys(word: str) -> set[str]:
    return set(sounds(lower(word)))


@pytest.mark.parametrize(
    "spellings",
    [
        "Müller Mueller Muller MÜLLER",
        "Weiß Weiss",
        "Meier Meyer Maier Mayer",
        "Jørgensen Joergensen Jorgensen Jörgensen",
        "Åberg Aaberg Aberg",
        "Γιώργος Giorgos Yiorgos",
        "Щербаков Shcherbakov Ščerbakov Schtscherbakow",
        "Χρήστος Christos Hristos Khristos",
        "Чехов Chekhov Tschechow Čechov",
        "Достоевский Dostoyevsky Dostojewski",
        "Вячеслав Vyacheslav Wjatscheslaw",
        "Ђорђевић Đorđević Djordjević",
        "Yıldırım Yildirim YILDIRIM",
        "İbrahim Ibrahim IBRAHIM",
        "Țepeș Tepes",
        "Černý Cerny Cherny",
        "Dvořák Dvorak Dvorzak",
        "Nováková Novák",
        "Kowalski Kowalska Kowalsky Ковальский",
        "O'Brien O’Brien OBrien",
        "Кузнецова Kuznetsova Kusnezowa",
    ],
)
def test_spellings_of_one_name_share_a_key(spellings: str) -> None:
    first, *others = spellings.split()
    assert all(keys(first) & keys(other) for other in others)


@pytest.mark.parametrize(
    "words", ["Müller Miller", "Müller Möller", "Anna Hanna", "Jan Jana", "Li Le", "Jensen Jansen"]
)
def test_names_that_only_look_alike_share_none(words: str) -> None:
    one, other = words.split()
    assert not keys(one) & keys(other)


def test_a_name_has_its_words_their_initials_and_a_signature() -> None:
    assert set(keys_of("Berg^Jan^^van den").keys) == {
        *("berg", "ian", "van", "den"),
        *("b.", "i.", "j.", "v.", "d."),
        *("vanden", "=berg|ian"),
    }
    assert keys_of("Yamada^Tarou=山田^太郎").forms == "yamada tarou=iamada taru=山田 太郎"
    assert "山田太郎" in keys_of("Yamada^Tarou=山田^太郎").keys


@pytest.mark.parametrize("empty", [None, "", "^^", "=", " . ", "'"])
def test_what_has_no_letter_has_no_key(empty: str | None) -> None:
    assert keys_of(empty) == ((), "")
    assert sought(empty or "") is None


def test_particles_and_titles_are_not_asked_for_unless_there_is_nothing_else() -> None:
    assert len(sought("Dr. Jan van der Berg").words) == 2  # type: ignore[union-attr]
    assert len(sought("van").words) == 1  # type: ignore[union-attr]


def test_short_words_are_taken_to_the_letter() -> None:
    assert sought("Ng").words == ((("ng",), ()),)  # type: ignore[union-attr]


@given(st.text(max_size=600))
def test_any_text_has_bounded_keys_that_a_tsvector_and_a_tsquery_can_hold(text: str) -> None:
    found, asked = keys_of(text), sought(text)
    assert (asked is None) == (found.keys == ())
    for key in (
        [*found.keys, *(key for word in asked.words for keys in word for key in keys if asked)]
        if asked
        else []
    ):
        assert 0 < len(key.encode("utf-8", "replace")) < 2046
        assert not set(key) & set("'\\\0 \n")
    assert len(found.keys) < 400
    assert len(found.forms) <= 4 * MAX_TEXT


@given(st.text(alphabet=st.characters(categories=("Ll", "Lu", "Lo")), min_size=1, max_size=40))
def test_a_word_has_at_least_one_key_and_few(word: str) -> None:
    found = sounds(lower(word) or "a")
    assert 1 <= len(found) <= MOST_KEYS
    assert all(found)
    assert isinstance(plain(lower(word)), str)
