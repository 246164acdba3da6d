"""The paths of DICOMweb: each below /dicom-web, and below /archives/{code}/dicom-web for one archive alone."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry import Schema

from api.admission.admission import Admission
from api.dicomweb.asked import BELOW_ARCHIVE, ROOT, WebRequest
from api.dicomweb.metadata import metadata
from api.dicomweb.retrieving import bulk, frames, instances, rendered, thumbnail
from api.dicomweb.searching import search
from api.dicomweb.storing import store
from model.attributes import Key, Level

Answer = Callable[[WebRequest], Awaitable[Response]]
OfUids = Callable[[WebRequest, Key], Awaitable[Response]]

_UIDS: Final = ("study", "series", "instance")
_PIECE: Final = 0.05
"""A viewer asks frame by frame: of 600 requests a minute, 200 frames a second."""
_SEARCHES: Final = {
    "/studies": Level.STUDY,
    "/series": Level.SERIES,
    "/instances": Level.INSTANCE,
    "/studies/{study}/series": Level.SERIES,
    "/studies/{study}/instances": Level.INSTANCE,
    "/studies/{study}/series/{series}/instances": Level.INSTANCE,
}
_NODES: Final = (
    "/studies/{study}",
    "/studies/{study}/series/{series}",
    "/studies/{study}/series/{series}/instances/{instance}",
)
_RETRIEVALS: Final[Mapping[str, OfUids]] = {
    "": instances,
    "/metadata": metadata,
    "/rendered": rendered,
    "/thumbnail": thumbnail,
}
_OF_INSTANCES: Final[Mapping[str, OfUids]] = {
    "/frames/{frames}": frames,
    "/frames/{frames}/rendered": rendered,
    "/frames/{frames}/thumbnail": thumbnail,
    "/bulk/{path:path}": partial(bulk, kind="bulk"),
    "/bulkdata/{path:path}": partial(bulk, kind="bulkdata"),
}


def dicomweb_routes(schema: Schema, admission: Admission) -> list[Route]:
    """schema: the served one."""

    def route(path: str, answer: Answer, weight: float, method: str = "GET") -> Route:
        async def serve(request: Request) -> Response:
            return await answer(await WebRequest.of(schema, admission, request, weight))

        made = Route(path, serve, methods=[method])
        made.methods = {method}  # a HEAD would be a whole answer that nobody is sent
        return made

    return [
        *(
            route(root + path, answer, weight)
            for root in (ROOT, BELOW_ARCHIVE)
            for path, answer, weight in _answers()
        ),
        *(route(BELOW_ARCHIVE + path, store, 1.0, "POST") for path in ("/studies", "/studies/{study}")),
    ]


def _answers() -> Iterator[tuple[str, Answer, float]]:
    """Path, what answers it, and as how many requests one counts."""
    for path, level in _SEARCHES.items():
        yield path, _of_uids(partial(search, level=level)), 1.0
    for path in _NODES:
        for below, retrieve in _RETRIEVALS.items():
            yield path + below, _of_uids(retrieve), 1.0
    for below, retrieve in _OF_INSTANCES.items():
        yield _NODES[-1] + below, _of_uids(retrieve), _PIECE


def _of_uids(work: OfUids) -> Answer:
    async def answer(asked: WebRequest) -> Response:
        return await work(asked, uids_of(asked))

    return answer


def uids_of(asked: WebRequest) -> Key:
    """Those in the path, from the study down."""
    given = asked.request.path_params
    return tuple(given[name] for name in _UIDS if name in given)
