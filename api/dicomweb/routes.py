"""The paths of DICOMweb: each below /dicom-web, and below /archives/{code}/dicom-web for one archive alone."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry import Schema

from api.admission.admission import Admission
from api.dicomweb.asked import BELOW_ARCHIVE, ROOT, Asked
from api.dicomweb.searching import search
from model.attributes import Level

Answer = Callable[[Asked], Awaitable[Response]]

_UIDS: Final = ("study", "series", "instance")
_SEARCHES: Final = {
    "/studies": Level.STUDY,
    "/series": Level.SERIES,
    "/instances": Level.INSTANCE,
    "/studies/{study}/series": Level.SERIES,
    "/studies/{study}/instances": Level.INSTANCE,
    "/studies/{study}/series/{series}/instances": Level.INSTANCE,
}


def dicomweb_routes(schema: Schema, admission: Admission) -> list[Route]:
    """schema: the served one."""

    def route(path: str, answer: Answer) -> Route:
        async def serve(request: Request) -> Response:
            return await answer(await Asked.of(schema, admission, request))

        made = Route(path, serve, methods=["GET"])
        made.methods = {"GET"}  # a HEAD would be a whole answer that nobody is sent
        return made

    return [route(root + path, answer) for root in (ROOT, BELOW_ARCHIVE) for path, answer in _answers()]


def _answers() -> Iterator[tuple[str, Answer]]:
    for path, level in _SEARCHES.items():
        yield path, _searching(level)


def _searching(level: Level) -> Answer:
    async def answer(asked: Asked) -> Response:
        return await search(asked, level, uids_of(asked))

    return answer


def uids_of(asked: Asked) -> tuple[str, ...]:
    """Those in the path, from the study down."""
    given = asked.request.path_params
    return tuple(given[name] for name in _UIDS if name in given)
