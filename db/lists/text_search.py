"""Text search (model/text_search.py) in SQL: tsqueries of its terms, the words of a row, and how well they match."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from db.lists.name_search import Rank
from db.params import Params
from model.attributes import Level
from model.filters import TextTest

Match = Callable[[str], str]
"""SQL of words (a tsvector) → whether they are what is sought."""


def row_search(params: Params, test: TextTest, words: str) -> str:
    """True for a row that is a node by itself: one look-up in the index, and what is asked of each row."""
    if test.scanned:
        return _scanned(_row_query(params, test))(words)
    common = set(test.common)
    rare = replace(test, words=tuple(word for word in test.words if word not in common), common=())
    parts = [_looked_up(_row_query(params, rare))(words)]
    parts += [_scanned(prefix_query(params, word))(words) for word in test.common]
    return f"({' and '.join(parts)})"


def _row_query(params: Params, test: TextTest) -> str:
    """All of a search as one tsquery."""
    parts = list(_wanted(params, test))
    parts += [f"!!{query}" for query in _excluded(params, test)]
    alternatives = [f"({' && '.join(parts)})", *(_row_query(params, other) for other in test.others)]
    return f"({' || '.join(alternatives)})"


def _looked_up(query: str) -> Match:
    return lambda words: f"{words} @@ {query}"


def _scanned(query: str) -> Match:
    """Not what an index answers; the query is made once for all rows."""
    return lambda words: f"ts_match_vq({words}, (select {query}))"


def node_test(params: Params, test: TextTest, has: Callable[[Match], str]) -> str:
    """True for a node of several copies, each of which may have a part of it; `has`: whether one matches."""
    common = set(test.words if test.scanned else test.common)
    parts = [
        has((_scanned if word in common else _looked_up)(prefix_query(params, word))) for word in test.words
    ]
    parts += [has(_looked_up(_phrase_query(params, phrase))) for phrase in test.phrases]
    parts += [f"({has(_looked_up(query))}) is not true" for query in _excluded(params, test)]
    alternatives = [f"({' and '.join(parts)})", *(node_test(params, other, has) for other in test.others)]
    return f"({' or '.join(alternatives)})"


def text_rank(test: TextTest) -> Rank:
    """How well a study matches: each word counts for itself, in the study's own description more than in any number of
    its series'."""

    def of(params: Params, alias: str) -> str:
        queries = [query for each in (test, *test.others) for query in _wanted(params, each)]
        return f"ts_rank({alias}.search, {' || '.join(queries)})"

    return of


def words_of(level: Level, alias: str) -> str:
    """The words of a row of studies (a column) or series (an expression that an index has)."""
    if level is Level.STUDY:
        return f"{alias}.search"
    return f"words({alias}.series_description, {alias}.body_part_examined, {alias}.protocol_name)"


def prefix_query(params: Params, word: str) -> str:
    """The tsquery of words that begin like `word`. Folding makes apostrophes of some letters (U+02BC)."""
    quoted = f"replace(fold({params.add(word, 'text')}), '''', '''''')"
    return f"to_tsquery('pg_catalog.simple', '''' || {quoted} || ''':*')"


def _phrase_query(params: Params, words: tuple[str, ...]) -> str:
    return f"phraseto_tsquery('pg_catalog.simple', fold({params.add(' '.join(words), 'text')}))"


def _wanted(params: Params, test: TextTest) -> Iterator[str]:
    yield from (prefix_query(params, word) for word in test.words)
    yield from (_phrase_query(params, words) for words in test.phrases)


def _excluded(params: Params, test: TextTest) -> Iterator[str]:
    yield from (prefix_query(params, word) for word in test.excluded_words)
    yield from (_phrase_query(params, words) for words in test.excluded_phrases)
