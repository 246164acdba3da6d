"""Texts that are no names and no words, in every search of names and texts: an answer or a clear error, of few
statements."""

import pytest

from tests.resolvers.runtime import Runtime

ODD = {
    "empty": "",
    "white space": " \t\n\u00a0\u3000",
    "wildcards": "*?*?*",
    "percent": "%%__%",
    "10,000 letters": "a" * 10_000,
    "10,000 different letters": "abcdefghij" * 1_000,
    "10,000 stars": "*" * 10_000,
    "10,000 ideographs": "田" * 10_000,
    "control characters": "\x01\x02\x1f\x7f",
    "control characters in a word": "a\x01b\x1fc",
    "combining marks": "\u0301\u0308\u0327",
    "one letter with 500 marks": "a" + "\u0301" * 500,
    "right to left": "\u202eabc\u202c \u200fحسن",
    "invisible": "\u200b\u200d\ufeff",
    "operators of tsquery": "& | ! <-> <2> :* ( )",
    "words with operators": "a & !b | (c <-> d):*AB",
    "a quotation mark": "' '' \\' \\",
    "quotation marks": '"" -"" "',
    "no words but operators": "- -- OR OR -OR",
    "300 words": " ".join(f"word{n}" for n in range(300)),
    "300 initials": " ".join("abcdefghijklmnopqrstuvwxyz" * 12),
    "300 ORs": "a OR " * 300,
    "groups": "=" * 50 + "^" * 50,
    "emoji": "🙂👩‍⚕️",
    "no character": "\ufffe\uffff",
    "beyond the basic plane": "𝒜𝓃𝓃𝒶 𠮷野",
    "a signature": "=a|b",
    "an initial's key": "h.",
}
SEARCHES = [
    *(f"patientName: {{{op}: $t}}" for op in ("fuzzy", "startsWith", "wildcard", "eq")),
    "referringPhysicianName: {fuzzy: $t}",
    *(f"studyDescription: {{{op}: $t}}" for op in ("contains", "startsWith", "wildcard")),
    "text: $t",
    "series: {text: $t}",
    "not: {text: $t}",
    "or: [{patientName: {fuzzy: $t}}, {text: $t}]",
]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_odd_texts_are_answered_or_refused(runtime: Runtime, search: str, text: str) -> None:
    query = f"query ($t: String!) {{ studies(filter: {{{search}}}) {{ totalCount nodes {{ id }} }} }}"
    answer = await runtime.ask(query, {"t": text})
    assert set(answer.codes) <= {"BAD_INPUT"}
    assert all(len(error["message"]) < 500 for error in answer.errors)
    assert answer.errors or answer.data["studies"]["totalCount"] is not None
    assert len(answer.statements) <= 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1 to 20 words"),
        ("- -- &", "1 to 20 words"),
        ("a " * 21, "got 21"),
        ("a" * 1_025, "at most 1024 characters"),
    ],
)
async def test_what_is_refused_says_why(runtime: Runtime, text: str, told: str) -> None:
    answer = await runtime.ask(
        "query ($t: String!) { studies(filter: {text: $t}) { totalCount } }", {"t": text}
    )
    assert answer.codes == ["BAD_INPUT"]
    assert told in answer.errors[0]["message"]
