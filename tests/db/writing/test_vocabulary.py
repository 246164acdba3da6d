"""The index's functions of codes are the tables of model/vocabulary.py; both projections have the same codes."""

import random

import orjson
import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from model.vocabulary import CODE_COLUMNS, Coded, key, terms
from tests.db.writing.ingesting import rows, store
from tests.db.writing.projecting import CODES, ERNS, makers
from tests.model.test_vocabulary import SPELLINGS
from tests.rows import series, study


@pytest.mark.parametrize("of", Coded)
async def test_the_function_is_the_table(database: Database, of: Coded) -> None:
    """To mend it: the object of the function in 0010_cohorts.sql is terms(of)."""
    (row,) = await database.fetch(
        "t", "select prosrc from pg_proc where proname = $1", CODE_COLUMNS[of].column
    )
    (found,) = await database.fetch(
        "t", "select substring($1, '''(.*)''::jsonb')::jsonb::text", row["prosrc"]
    )
    assert orjson.loads(found[0]) == terms(of)


async def test_spellings_are_folded_alike(database: Database) -> None:
    """Every word of the tables, in many spellings, has one key here and there."""
    rng = random.Random(1)
    words = [*(text for text, _, _ in SPELLINGS), *(word for of in Coded for word in terms(of))]
    noisy = [f"{rng.choice(' ^_')}{word.upper()}{rng.choice('./-')}" for word in words]
    given = [*words, *noisy, "Ψυχή", "ŁÓDŹ", "ÆØÅ", "Straße", "e\u0301", "ﬁn", "Ⅳ", "㎜", ""]
    (row,) = await database.fetch(
        "t", "select array(select vocabulary_key(w) from unnest($1::text[]) w)", given
    )
    for text, folded in zip(given, row[0], strict=True):
        assert folded == key(text), text


async def test_codes_of_both_projections(database: Database) -> None:
    """Where the raw value is no code string and is hidden behind pseudonyms, its code still stands."""
    configs = [ArchiveConfig(code=c, ern=ERNS[n], title=c, kind="folder") for n, c in CODES.items()]
    await sync_archives(database, configs)
    projections = Projections(database, makers(), CODES)
    database.after_write.append(projections.drain)
    said = [text.strip() for text, _, _ in SPELLINGS] + ["John^Doe"]
    serieses = [
        series("1.1", f"5.{n + 10}", BodyPartExamined=text, Modality="MRI", Laterality="R")
        for n, text in enumerate(said)
    ]
    await store(database, 1, [study("1.1")], serieses, whole=["1.1"])
    wanted = [(value, "MR", "24028007") for _, value, _ in SPELLINGS] + [(None, "MR", "24028007")]
    columns = "body_part_code, modality_code, laterality_code"
    assert await rows(database, f"select {columns} from series order by series_pk") == wanted  # noqa: S608
    found = await rows(database, f"select {columns} from pseudonymised.series order by source_pk")  # noqa: S608
    assert found == wanted
    hidden = await rows(
        database, "select body_part_examined from pseudonymised.series where body_part_examined is null"
    )
    assert len(hidden) > 5

    await store(database, 1, [], [series("1.1", "5.10", BodyPartExamined="KNEE")])
    for table, pk in (("series", "series_pk"), ("pseudonymised.series", "source_pk")):
        found = await rows(database, f"select {columns} from {table} order by {pk} limit 1")  # noqa: S608
        assert found == [("72696002", "MR", None)]
