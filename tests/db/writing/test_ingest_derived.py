"""What study rows know from their series: modalities, counts, words."""

import pytest

from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.db.writing.ingesting import delete, rows, store, two_archives
from tests.rows import Row, records, series, study

pytestmark = pytest.mark.usefixtures("archives")


@pytest.fixture
async def archives(database: Database) -> None:
    await two_archives(database)


@pytest.mark.parametrize(
    ("studies", "serieses", "series_of", "expected"),
    [
        pytest.param([study("1.2")], [], [], (None, None, []), id="nothing known"),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries=3, NumberOfStudyRelatedInstances="40")],
            [],
            [],
            (3, 40, []),
            id="the archive's figures",
        ),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries=9, ModalitiesInStudy=["SR", " MR ", "", None, 5])],
            [
                series("1.2", "1.2.1", Modality="CT", NumberOfSeriesRelatedInstances=4),
                series("1.2", "1.2.2", Modality="MR", NumberOfSeriesRelatedInstances=5),
            ],
            ["1.2"],
            (2, 9, ["5", "CT", "MR", "SR"]),  # a number where text belongs is that text
            id="series win",
        ),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedInstances=7)],
            [series("1.2", "1.2.1", NumberOfSeriesRelatedInstances=4), series("1.2", "1.2.2")],
            ["1.2"],
            (2, 7, ["MR"]),
            id="series that give no figure",
        ),
        pytest.param([study("1.2", NumberOfStudyRelatedSeries=1)], [], ["1.2"], (0, 0, []), id="no series"),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries="many", NumberOfStudyRelatedInstances=3e12)],
            [],
            [],
            (None, None, []),
            id="figures that are none",
        ),
    ],
)
async def test_counts_and_modalities(
    database: Database,
    studies: list[Row],
    serieses: list[Row],
    series_of: list[str],
    expected: tuple[int | None, int | None, list[str]],
) -> None:
    await store(database, 1, studies, serieses, series_of=series_of)
    found = "select number_of_series, number_of_instances, modalities from study"
    assert await rows(database, found) == [expected]
    links = await rows(database, "select value from study_value where name = 'modality' order by 1")
    assert [modality for (modality,) in links] == expected[2]
    # The other order of storing comes to the same.
    await delete(database, 1, "1.2")

    async def work(conn: Connection) -> None:
        await ingest.store_studies(conn, 1, records(Level.STUDY, studies))
        await ingest.store_series(conn, 1, records(Level.SERIES, serieses), series_of)
        await ingest.derive(conn)

    await ingest.write(database, "other order", work)
    assert await rows(database, found) == [expected]


async def test_links_follow_the_study(database: Database) -> None:
    await store(database, 1, [study("1.2", ModalitiesInStudy=["CT", "MR"])])
    await store(database, 1, [study("1.2", ModalitiesInStudy=["MR"], StudyDate="20210101")])
    assert await rows(database, "select value, study_date::text from study_value") == [("MR", "2021-01-01")]


async def test_words_of_the_study_and_its_series(database: Database) -> None:
    await store(
        database,
        1,
        [study("1.2", StudyDescription="Schädel MRT")],
        [
            series(
                "1.2", "1.2.1", SeriesDescription="T2 axial", BodyPartExamined="HEAD", ProtocolName="Kopf"
            ),
            series("1.2", "1.2.2", SeriesDescription="Übersicht"),
        ],
        series_of=["1.2"],
    )
    found = await rows(database, "select tsvector_to_array(search) from study")
    assert set(found[0][0]) == {"schadel", "mrt", "t2", "axial", "head", "kopf", "ubersicht"}
    await store(database, 1, [], [series("1.2", "1.2.1", SeriesDescription="T1")], series_of=["1.2"])
    found = await rows(database, "select tsvector_to_array(search) from study")
    assert set(found[0][0]) == {"schadel", "mrt", "t1"}
