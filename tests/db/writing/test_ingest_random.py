"""The index against a model of it in plain Python: random batches and deletions, everything compared."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.rows import instance, records, series, study

ARCHIVES = (1, 2, 3)
UIDS = st.sampled_from(["1.1", "1.2", "1.3"])
PARTS = st.sampled_from(["5.1", "5.2", "5.3", "5.4"])
SOPS = st.sampled_from(["8.1", "8.2", "8.3", "8.4"])
COUNT = st.none() | st.integers(0, 9)
MODALITY = st.sampled_from(["MR", "CT", None])


@dataclass(frozen=True)
class Batch:
    """One transaction: rows of one archive, and of what they are the whole."""

    archive: int
    studies: list[tuple[str, str, str | None, int | None]]  # uid, patient, modality, series told
    serieses: list[tuple[str, str, str | None, int | None]]  # study, uid, modality, instances told
    instances: list[tuple[str, str, str]]  # study, series, uid
    whole: list[str]
    series_of: list[str]
    instances_of: list[tuple[str, str]]  # study, series
    deleted: list[str]


BATCHES = st.builds(
    Batch,
    archive=st.sampled_from(ARCHIVES),
    studies=st.lists(st.tuples(UIDS, st.sampled_from("AB"), MODALITY, COUNT), max_size=4),
    serieses=st.lists(st.tuples(UIDS, PARTS, MODALITY, COUNT), max_size=5),
    instances=st.lists(st.tuples(UIDS, PARTS, SOPS), max_size=6),
    whole=st.lists(UIDS, max_size=2, unique=True),
    series_of=st.lists(UIDS, max_size=2, unique=True),
    instances_of=st.lists(st.tuples(UIDS, PARTS), max_size=3, unique=True),
    deleted=st.lists(UIDS, max_size=1),
)


@dataclass
class Model:
    """What must be in the index. Keys are the tables' own."""

    studies: dict[tuple[int, str, str], dict[str, Any]] = field(default_factory=dict)
    serieses: dict[tuple[int, str, str], dict[str, Any]] = field(default_factory=dict)
    instances: set[tuple[int, str, str, str]] = field(default_factory=set)

    def apply(self, batch: Batch) -> None:
        """In the order of `write`: series, studies, instances, deletions."""
        a = batch.archive
        for study_uid, uid, modality, told in batch.serieses:
            known = self.serieses.setdefault((a, uid, study_uid), {"synced": False})
            known |= {"modality": modality, "told": told}
        answered = {(uid, study_uid) for study_uid, uid, _, _ in batch.serieses}
        for key in [k for k in self.serieses if k[0] == a and k[2] in batch.series_of]:
            if key[1:] not in answered:
                self._drop_series(key)
        for uid, patient, modality, told in batch.studies:
            known = self.studies.setdefault((a, uid, patient), {"synced": uid in batch.series_of})
            known |= {"modality": modality, "told": told}
        for key in [k for k in self.studies if k[0] == a]:
            if key[1] in batch.series_of:
                self.studies[key]["synced"] = True
            if key[1] in batch.whole and key[1:] not in {(uid, p) for uid, p, _, _ in batch.studies}:
                del self.studies[key]
        for uid in batch.whole:
            self._drop_orphans(a, uid)
        self._apply_instances(batch)
        for uid in batch.deleted:
            for key in [k for k in self.studies if k[0] == a and k[1] == uid]:
                del self.studies[key]
            self._drop_orphans(a, uid)
        for key in [k for k in self.serieses if not self._has_study(k[0], k[2])]:
            self._drop_series(key)

    def _apply_instances(self, batch: Batch) -> None:
        a = batch.archive
        answered = {(a, uid, series_uid, study_uid) for study_uid, series_uid, uid in batch.instances}
        self.instances |= {k for k in answered if (a, *k[2:]) in self.serieses}
        whole = {(a, series_uid, study_uid) for study_uid, series_uid in batch.instances_of}
        self.instances -= {k for k in self.instances if (k[0], *k[2:]) in whole and k not in answered}
        for key in whole & self.serieses.keys():
            self.serieses[key]["synced"] = True

    def _has_study(self, archive: int, uid: str) -> bool:
        return any(k[:2] == (archive, uid) for k in self.studies)

    def _drop_orphans(self, archive: int, uid: str) -> None:
        if not self._has_study(archive, uid):
            for key in [k for k in self.serieses if k[0] == archive and k[2] == uid]:
                self._drop_series(key)
            self.instances -= {k for k in self.instances if k[0] == archive and k[3] == uid}

    def _drop_series(self, key: tuple[int, str, str]) -> None:
        self.serieses.pop(key)
        self.instances -= {k for k in self.instances if (k[0], *k[2:]) == key}

    def _shared(self, family: str) -> bool:
        return sum(1 for k in self.studies if k[1] == family) > 1

    def expected(self) -> tuple[set[Any], set[Any], set[Any], set[Any]]:
        counts = {k: self._instances_told(k) for k in self.serieses}
        studies = set()
        for (a, uid, patient), known in self.studies.items():
            mine = {k: v for k, v in self.serieses.items() if (k[0], k[2]) == (a, uid)}
            modalities = tuple(sorted({v["modality"] for v in [known, *mine.values()]} - {None}))
            number = len(mine) if known["synced"] else known["told"]
            if number is None:
                number = len(mine) or None
            told = [counts[k] for k in mine]
            total = sum(n for n in told if n is not None) if told and None not in told else None
            if known["synced"] and not mine:
                total = 0
            studies.add((a, uid, patient, modalities, number, total, self._shared(uid)))
        serieses = {(*k, counts[k], self._shared(k[2])) for k in self.serieses}
        instances = {(*k, self._shared(k[3])) for k in self.instances}
        return (
            studies,
            serieses,
            instances,
            {link for study in studies for link in self._links(study, studies)},
        )

    def _links(self, study: Any, studies: set[Any]) -> set[Any]:
        """Modalities by the archive they come from: of a shared family those of all copies, wherever they are."""
        a, uid, patient, modalities, *_, shared = study
        if not shared:
            return {(a, uid, patient, a, modality) for modality in modalities}
        told = {(k[0], v["modality"]) for k, v in self.serieses.items() if k[2] == uid and v["modality"]}
        told |= {(other[0], modality) for other in studies if other[1] == uid for modality in other[3]}
        return {(a, uid, patient, *each) for each in told}

    def _instances_told(self, key: tuple[int, str, str]) -> int | None:
        known = self.serieses[key]
        if known["synced"]:
            return sum(1 for k in self.instances if (k[0], *k[2:]) == key)
        return known["told"]  # type: ignore[no-any-return]


@dataclass
class Index:
    database: Database
    runner: asyncio.Runner

    async def empty(self) -> None:
        await self.database.execute("test", "truncate study, series, instance, study_value_count cascade")

    async def apply(self, batch: Batch) -> None:
        await ingest.write(self.database, "batch", lambda conn: write(conn, batch))

    async def found(self) -> tuple[set[Any], set[Any], set[Any], set[Any]]:
        async def of(sql: str) -> set[Any]:
            found = await self.database.fetch("test", sql)
            return {tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in found}

        return (
            await of(
                "select archive_id, study_uid, patient_id, modalities, number_of_series,"
                " number_of_instances, shared from study"
            ),
            await of("select archive_id, series_uid, study_uid, number_of_instances, shared from series"),
            await of("select archive_id, sop_uid, series_uid, study_uid, shared from instance"),
            await of(
                "select s.archive_id, s.study_uid, s.patient_id, v.archive_id, v.value from study_value v"
                " join study s using (study_pk) where v.name = 'modality'"
                " and (s.study_uid, s.study_date, s.shared) is not distinct from (v.study_uid, v.study_date, v.shared)"
            ),
        )

    async def miscounted(self) -> list[Any]:
        """Values that are counted otherwise than they are there."""
        return await self.database.fetch(
            "test",
            "select * from study_value_count full join (select archive_id, name, value, count(*)::integer as studies"
            " from study_value group by 1, 2, 3) there using (archive_id, name, value, studies)"
            " where study_value_count is null or there is null",
        )


async def write(conn: Connection, batch: Batch) -> None:
    studies = [
        study(uid, PatientID=patient, ModalitiesInStudy=modality, NumberOfStudyRelatedSeries=told)
        for uid, patient, modality, told in batch.studies
    ]
    serieses = [
        series(study_uid, uid, Modality=modality, NumberOfSeriesRelatedInstances=told)
        for study_uid, uid, modality, told in batch.serieses
    ]
    instances = [instance(*uids) for uids in batch.instances]
    a = batch.archive
    await ingest.store_series(conn, a, records(Level.SERIES, serieses), batch.series_of)
    await ingest.store_studies(conn, a, records(Level.STUDY, studies), batch.whole)
    await ingest.store_instances(conn, a, records(Level.INSTANCE, instances), batch.instances_of)
    if batch.deleted:
        await ingest.delete_studies(conn, a, batch.deleted)
    await ingest.derive(conn)


@pytest.fixture(scope="module")
def index(new_database_url: Callable[[], str]) -> Iterator[Index]:
    async def opened(url: str) -> Database:
        database = await Database.open(url)
        configs = [ArchiveConfig(code=f"a{n}", ern="ERN-EYE", title="", kind="folder") for n in ARCHIVES]
        await sync_archives(database, configs)
        return database

    with asyncio.Runner() as runner:
        database = runner.run(opened(new_database_url()))
        yield Index(database, runner)
        runner.run(database.close())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(batches=st.lists(BATCHES, min_size=1, max_size=5))
def test_the_index_is_what_the_batches_say(index: Index, batches: list[Batch]) -> None:
    async def compare() -> None:
        await index.empty()
        model = Model()
        for batch in batches:
            model.apply(batch)
            await index.apply(batch)
            for found, expected in zip(await index.found(), model.expected(), strict=True):
                assert found == expected
            assert await index.miscounted() == []

    index.runner.run(compare())
