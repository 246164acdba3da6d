"""/viewer/: the page, which is the same for all paths that the viewer makes, and below the digest its files.

The page and its files are open, as those of "/" are: without data, and the same everywhere. What it shows it asks
/dicom-web for, by the person's session; whoever has none is led to sign in first.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from api.identity.auth import Identity
from api.problems import HttpProblem
from api.routes import OpenRoute
from api.viewer.build import PAGE, Build, Entry

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # decoders of compressed pixels are WebAssembly
    "worker-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",  # its components set styles as they are drawn
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self' blob: data:",
    "frame-src": "'self' blob:",  # PDF
    "object-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Decoders make functions of text where they start (Emscripten's embind). A worker has no page: it can do that alone.
_WORKER_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-eval' 'wasm-unsafe-eval'",
    "connect-src": "'self' blob: data:",
}
_KEPT = "public, max-age=31536000, immutable"
_MADE_BY_THE_VIEWER = re.compile(r"(?:[\w-]+(?:/[\w-]+)?/?)?", re.ASCII)
_NOT_BUILT = (
    "There is no viewer at this server. Who runs it can build one: ./run viewer, then start the server again "
    "(docs/operator.md, Viewer)."
)


def viewer_routes(folder: Path | None, identity: Identity | None) -> tuple[BaseRoute, ...]:
    """folder: where the viewer is built; None where there is none. Raises SettingsError for a broken build."""
    served = _Viewer(Build.read(folder), identity).serve if folder is not None else _no_viewer
    return OpenRoute("/viewer", served), OpenRoute("/viewer/{path:path}", served)


async def _no_viewer(_request: Request) -> Response:
    raise HttpProblem(404, _NOT_BUILT)


class _Viewer:
    def __init__(self, build: Build, identity: Identity | None) -> None:
        self._build, self._identity = build, identity

    async def serve(self, request: Request) -> Response:
        path = request.path_params.get("path", "")
        digest, _, name = path.partition("/")
        if digest == self._build.digest:
            # A name of the build or none: no path of the request reaches the disk.
            if name == PAGE or name not in self._build.files:
                raise HttpProblem(404, "The viewer has no such file.")
            return self._file(request, name, kept=True)
        if _MADE_BY_THE_VIEWER.fullmatch(path) is None:
            raise HttpProblem(404, "The viewer has no such page.")
        self._build = self._build.renewed()
        if self._identity is not None and self._identity.leads_to_sign_in(request):
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/auth/login?return_to={quote(back, safe='')}", 303)
        return self._file(request, PAGE, kept=False)

    def _file(self, request: Request, name: str, *, kept: bool) -> Response:
        entry = self._build.files[name]
        encoding = _encoding(entry, request.headers.get("accept-encoding", ""))
        tag = f'"{entry.sha256[:32]}{f"-{encoding}" if encoding else ""}"'
        headers = {
            "ETag": tag,
            "Cache-Control": _KEPT if kept else "no-cache",
            "Content-Security-Policy": _WORKER_CSP if entry.worker else _PAGE_CSP,
            **({"Vary": "Accept-Encoding"} if entry.encodings else {}),
        }
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return FileResponse(self._build.path(name, encoding), headers=headers, media_type=entry.type)


def _csp(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())


_PAGE_CSP, _WORKER_CSP = _csp(_POLICY), _csp(_WORKER_POLICY)


def _encoding(entry: Entry, accepted: str) -> str | None:
    """The best that the client takes (RFC 9110, section 12.5.3); None: as it is, which everybody takes."""
    taken = {}
    for each in accepted.split(","):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        taken[name] = not any(re.fullmatch(r"q=0(\.0*)?", part) for part in parameters)
    return next((each for each in entry.encodings if taken.get(each, taken.get("*", False))), None)


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]
