"""Filters of cohorts: the text that is kept means the same filter again, or is refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from model.errors import BadInput
from resolvers.filters.saved_filter import filter_of, text_of
from resolvers.schema import schema

INFO: Any = SimpleNamespace(schema=schema)
TEXTS = (
    "{}",
    '{"modalitiesInStudy":{"any":["CT","MR"]}}',
    '{"and":[{"studyDate":{"gte":"2020-01-01"}},{"not":{"patientSex":{"eq":"F"}}}]}',
)


@pytest.mark.parametrize("text", TEXTS)
def test_it_means_the_same_again(text: str) -> None:
    assert text_of(filter_of(INFO, text)) == text


@pytest.mark.parametrize(
    "text", ['{"noSuchField":{}}', '{"studyDate":{"gte":7}}', '{"and":[{"noSuchField":{}}]}', "[7]"]
)
def test_that_of_another_version_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="another version"):
        filter_of(INFO, text)
