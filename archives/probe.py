"""Finds out what an archive really does, by asking it a few cheap questions and changing nothing.

The answers are for people (`ernfed archives probe`, the explorer's source list). A question that fails
gives its error as the answer; only an archive that does not answer at all raises.
"""

from collections.abc import Awaitable

from archives.abilities import Learner
from archives.client import Row
from archives.drift import UNSAID
from archives.errors import ArchiveError, BadAnswer, NotSupported, Rejected, ServerFailed
from archives.every_field import COMPARED
from archives.queries import OF_NOBODY, SearchQuery
from archives.rows import (
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    text,
    values,
)
from archives.session import ENCODED_DOT

CAP_TRIED = 201
UNKNOWN = "unknown: too few studies to tell"
_STUDY_SERIES_COUNT = "00201206"
_STUDY_INSTANCE_COUNT = "00201208"


async def probe_dicomweb(archive: Learner) -> dict[str, str]:
    """Name → what was found. Some twenty small requests, one after another."""
    studies = (await archive.qido(SearchQuery("studies"), 3, 0, None)).rows
    answers: dict[str, str] = {"search": "yes" if studies else "yes, it is empty"}
    answers["server"] = archive.server or UNSAID
    answers["limit"] = "yes" if len(studies) <= 3 else f"ignored: {len(studies)} rows for limit=3"
    answers["cap"] = await tell(_cap(archive))
    answers["offset"] = await tell(_offset(archive, studies))
    answers["keys"] = await tell(_keys(archive))
    answers["uid_list"] = await tell(_uid_list(archive))
    answers["query_decoding"] = await tell(_query_decoding(archive))
    answers["includefield"] = await tell(_includefield(archive))
    answers["includefield_all"] = await tell(_every_field(archive, studies))
    for level, name in (("series", "top_level_series"), ("instances", "top_level_instances")):
        answers[name] = await tell(_route(archive, SearchQuery(level, filters=_one_study(studies))))  # type: ignore[arg-type]
    answers["metadata"] = await tell(_metadata(archive, studies))
    answers["counts"] = _counts(studies)
    answers["change_feed"] = await tell(_change_feed(archive))
    return answers


async def tell(question: Awaitable[str]) -> str:
    """The answer, or why there is none."""
    try:
        return await question
    except ArchiveError as error:
        return f"no: {error.message.partition(': ')[2] or error.message}"


def _one_study(studies: list[Row]) -> dict[str, str]:
    uid = text(studies[0], STUDY_INSTANCE_UID) if studies else None
    return {"StudyInstanceUID": uid or "1.2.3"}


async def _cap(archive: Learner) -> str:
    """The most rows of one answer; 200 is what some servers allow at all."""
    rows = len((await archive.qido(SearchQuery("studies"), CAP_TRIED, 0, None)).rows)
    if rows >= CAP_TRIED:
        return f"none up to {CAP_TRIED} rows"
    is_more = bool(rows) and bool((await archive.qido(SearchQuery("studies"), 1, rows, None)).rows)
    return f"{rows} rows an answer, and there are more" if is_more else f"unknown: it holds {rows} rows"


async def _offset(archive: Learner, studies: list[Row]) -> str:
    if len(studies) < 2:
        return UNKNOWN
    first = (await archive.qido(SearchQuery("studies"), 1, 0, None)).rows
    second = (await archive.qido(SearchQuery("studies"), 1, 1, None)).rows
    if not second:
        return "no: nothing behind the first row"
    both = (text(first[0], tag) == text(second[0], tag) for tag in (STUDY_INSTANCE_UID, PATIENT_ID))
    return "ignored: the same rows again" if first and all(both) else "yes"


async def _keys(archive: Learner) -> str:
    """Whether it answers those that it is asked for, and no others."""
    nobody = SearchQuery("studies", filters={"StudyInstanceUID": OF_NOBODY})
    if (await archive.qido(nobody, 1, 0, None)).rows:
        return "no: it answers studies when none is asked for"
    if archive.abilities.answers_others:
        return "mostly: it was seen to answer others than those that it was asked for"
    return "yes"


async def takes_uid_list(archive: Learner) -> bool | None:
    """Does `StudyInstanceUID=a,b` find both, and only them? None when there are too few studies to tell."""
    studies = (await archive.qido(SearchQuery("studies"), 3, 0, None)).rows
    known = sorted({uid for row in studies if (uid := text(row, STUDY_INSTANCE_UID)) is not None})
    if len(known) < 2:
        return None
    query = SearchQuery("studies", filters={"StudyInstanceUID": ",".join(known[:2])})
    try:
        page = await archive.qido(query, 10, 0, None)
    except (Rejected, BadAnswer, ServerFailed):
        return False
    return {text(row, STUDY_INSTANCE_UID) for row in page.rows} == set(known[:2])


async def decodes_queries(archive: Learner) -> bool | None:
    """Is `1%2E2` read as `1.2`? None when there is no study to ask for."""
    for row in (await archive.qido(SearchQuery("studies"), 1, 0, None)).rows:
        if (study := text(row, STUDY_INSTANCE_UID)) is not None:
            encoded = SearchQuery("studies", filters={"StudyInstanceUID": study.replace(".", ENCODED_DOT)})
            found = (await archive.qido(encoded, 1, 0, None)).rows
            return study in {text(row, STUDY_INSTANCE_UID) for row in found}
    return None


def is_plain(value: str) -> bool:
    """True when a URL carries it as it is."""
    return all(c.isascii() and (c.isalnum() or c in "-._~") for c in value)


async def _uid_list(archive: Learner) -> str:
    found = await takes_uid_list(archive)
    if found is None:
        return UNKNOWN
    archive.abilities.uid_list = found
    return "yes, with commas" if found else "no: one request a UID"


async def _query_decoding(archive: Learner) -> str:
    found = await decodes_queries(archive)
    if found is None:
        return UNKNOWN
    archive.abilities.query_decoding = found
    return "yes" if found else "no: encoded characters find nothing"


async def _includefield(archive: Learner) -> str:
    await archive.page(SearchQuery("studies"), COMPARED, 0)
    return "yes" if archive.abilities.includefield else "no: refused"


async def _every_field(archive: Learner, studies: list[Row]) -> str:
    """The levels at which `includefield=all` brings more than is asked for by name."""
    queries = [SearchQuery("studies")]
    if studies and (study := text(studies[0], STUDY_INSTANCE_UID)) is not None:
        queries.append(SearchQuery("series", study))
        series = (await archive.page(queries[1], COMPARED, 0)).rows
        if series and (uid := text(series[0], SERIES_INSTANCE_UID)) is not None:
            queries.append(SearchQuery("instances", study, uid))
            await archive.page(queries[2], COMPARED, 0)
    if not archive.abilities.every.keys() - {"instances"}:
        return UNKNOWN
    levels = [query.level for query in queries if query.level in archive.abilities.brings_more]
    return f"yes: more attributes of {', '.join(levels)}" if levels else "no: it brings nothing more"


async def _route(archive: Learner, query: SearchQuery) -> str:
    rows = (await archive.qido(query, 1, 0, None)).rows
    return "yes" if rows or query.filters["StudyInstanceUID"] == "1.2.3" else "no: finds nothing"


async def _metadata(archive: Learner, studies: list[Row]) -> str:
    """Asked of a series, which is smaller than its study. One that it fails for says nothing of the others."""
    told = UNKNOWN
    for row in studies:
        study = text(row, STUDY_INSTANCE_UID)
        if study is None:
            continue
        series = (await archive.qido(SearchQuery("series", study_uid=study), 1, 0, None)).rows
        uid = text(series[0], SERIES_INSTANCE_UID) if series else None
        if uid is None:
            continue
        try:
            return "yes" if await archive.metadata(study, uid) else "no: nothing for a series that is there"
        except (NotSupported, Rejected):
            raise
        except ArchiveError as error:
            told = f"unknown: {error.message.partition(': ')[2]}"
    return told


def _counts(studies: list[Row]) -> str:
    if not studies:
        return UNKNOWN
    names = {"series": _STUDY_SERIES_COUNT, "instances": _STUDY_INSTANCE_COUNT}
    given = [name for name, tag in names.items() if all(values(row, tag) for row in studies)]
    return f"yes: {' and '.join(given)} of a study" if given else "no"


async def _change_feed(archive: Learner) -> str:
    last = await archive.last_change()
    return "no" if last is None else f"yes, at {last}"
