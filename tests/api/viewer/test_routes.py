"""/viewer/: which paths there are, how they are sent, and who is led to sign in."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import Message

from config.settings import SettingsError
from tests.api.identity.signing_in import serving, to_callback
from tests.api.tiny import tiny_app
from tests.api.viewer.made import CONTENT, DIGEST, make_build

APP, WORKER = "app.bundle.0123456789abcdef.js", "decode.bundle.fedcba9876543210.js"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return make_build(tmp_path / "viewer")


@pytest.fixture
async def client(build: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(tiny_app(viewer=build))
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test/viewer") as opened:
        opened.headers["accept-encoding"] = "identity"
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/viewer",
        "/viewer/",
        "/viewer/ernfed",
        "/basic-test",
        "/viewer?StudyInstanceUIDs=1.2.3&x=../../y",
    ],
)
async def test_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://ernfed.test/viewer{path}")
    assert (answer.status_code, answer.content) == (200, CONTENT["index.html"])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "http" not in answer.headers["content-security-policy"]


async def test_files_are_kept_for_good(client: httpx.AsyncClient) -> None:
    for name, content in CONTENT.items():
        if name == "index.html":
            continue
        answer = await client.get(f"/{DIGEST}/{name}")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_only_workers_may_make_code_of_text(client: httpx.AsyncClient) -> None:
    found = {
        name: "'unsafe-eval'" in (await client.get(f"/{DIGEST}/{name}")).headers["content-security-policy"]
        for name in (APP, WORKER, "assets/images/CT-Bone.png")
    }
    assert found == {APP: False, WORKER: True, "assets/images/CT-Bone.png": False}


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5, identity", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("br;q=0.000, *", "gzip"),
        ("*", "br"),
        ("deflate", None),
        ("gzip;q=0, br;q=0", None),
        ("", None),
    ],
)
async def test_encodings(client: httpx.AsyncClient, build: Path, accepted: str, sent: str | None) -> None:
    request = client.build_request("GET", f"/{DIGEST}/{APP}", headers={"accept-encoding": accepted})
    answer = await client.send(request, stream=True)
    raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == sent
    assert answer.headers["vary"] == "Accept-Encoding"
    expected = {"br": b"brotli of " + APP.encode(), "gzip": gzip.compress(CONTENT[APP]), None: CONTENT[APP]}
    if sent == "gzip":
        assert gzip.decompress(raw) == CONTENT[APP]
    else:
        assert raw == expected[sent]


async def test_what_a_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    tags = set()
    for path in ("/", f"/{DIGEST}/{APP}"):
        for accepted in ("identity", "gzip", "br"):
            head = {"accept-encoding": accepted}
            request = client.build_request("GET", path, headers=head)
            first = await client.send(request, stream=True)
            await first.aclose()
            tag = first.headers["etag"]
            tags.add(tag)
            for known in (tag, f'"other", W/{tag}'):
                again = await client.get(path, headers={**head, "if-none-match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
                assert "content-security-policy" in again.headers
            other = await client.get(path, headers={"if-none-match": '"other"'})
            assert other.status_code == 200
    assert len(tags) == 6


@pytest.mark.parametrize(
    "path",
    [
        f"/{DIGEST}/build.json", f"/{DIGEST}/../build.json", f"/{DIGEST}/index.html", f"/{DIGEST}/", f"/{DIGEST}",
        f"/{DIGEST}/files/{APP}", f"/{DIGEST}/{APP}.br", f"/{DIGEST}//{APP}", f"/{DIGEST}/%2e%2e/build.json",
        f"/{DIGEST}/..%2f..%2fbuild.json", f"/{DIGEST}/{APP}%00.png", "/fedcba9876543210/index.html", f"/{APP}",
        "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..\\..\\etc", "//evil.example.org/", "/a/b/c",
        "/sw.js", "/manifest.json", "/index.html", "/vi%00ewer", "/vi%0aewer",
    ],
)  # fmt: skip
async def test_paths_that_are_none(build: Path, path: str) -> None:
    """Sent as they stand: clients would take the dots away."""
    status = 0

    async def sent(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    raw = f"/viewer{path}"
    scope = {"type": "http", "method": "GET", "path": unquote(raw), "raw_path": raw.encode(), "query_string": b"",
             "headers": [(b"host", b"ernfed.test")], "http_version": "1.1", "scheme": "http", "root_path": "",
             "client": ("127.0.0.1", 1), "server": ("ernfed.test", 80), "asgi": {"version": "3.0"}}  # fmt: skip
    await tiny_app(viewer=build)(scope, receive, sent)
    assert status == 404


async def test_other_methods(client: httpx.AsyncClient) -> None:
    assert (await client.post("/")).status_code == 405
    head = await client.head(f"/{DIGEST}/{APP}")
    assert (head.status_code, head.content) == (200, b"")


async def test_without_a_build_it_says_what_to_do() -> None:
    transport = httpx.ASGITransport(tiny_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
        for path in ("/viewer", "/viewer/", f"/viewer/{DIGEST}/{APP}"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "./run viewer" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("broken", ["no file", "no page", "half a table", "not a table"])
def test_a_broken_build_stops_the_start(build: Path, broken: str) -> None:
    table = build / "build.json"
    if broken == "no file":
        (build / "files" / f"{APP}.gz").unlink()
    elif broken == "no page":
        table.write_text(table.read_text().replace("index.html", "start.html"))
        for end in ("", ".br", ".gz"):
            (build / "files" / f"index.html{end}").rename(build / "files" / f"start.html{end}")
    elif broken == "half a table":
        table.write_bytes(table.read_bytes()[:-40])
    else:
        table.write_text('{"digest": 5}')
    with pytest.raises(SettingsError, match=r"\./run viewer"):
        tiny_app(viewer=build)


async def test_a_new_build_under_a_running_server(client: httpx.AsyncClient, build: Path) -> None:
    """Its page names its own files: both are served from then on."""
    assert (await client.get(f"/{DIGEST}/{APP}")).status_code == 200
    table = build / "build.json"
    newer = table.read_text().replace(DIGEST, "1" * 16)
    (build / "files" / "index.html").write_text("newer")
    table.write_text(newer)
    assert (await client.get("/")).text == "newer"
    assert (await client.get(f"/{'1' * 16}/{APP}")).status_code == 200
    assert (await client.get(f"/{DIGEST}/{APP}")).status_code == 404
    table.unlink()
    assert (await client.get("/")).text == "newer"


async def test_who_has_no_session_signs_in_first(build: Path) -> None:
    """And comes back to the very study. The files hold nobody's data, and are the same for all."""
    link = "/viewer/viewer?StudyInstanceUIDs=1.2.3&x=%26"
    async with serving(viewer=build) as served, served.browser() as browser:
        refused = await browser.get(link)
        assert refused.status_code == 303
        assert refused.headers["location"].startswith("/auth/login?return_to=%2Fviewer%2Fviewer%3FStudy")
        assert (await browser.get(f"/viewer/{DIGEST}/{APP}")).status_code == 200
        begun = await browser.get(refused.headers["location"])
        assert begun.status_code == 303
        back = await browser.get(await to_callback(browser, "clinician", link))
        assert (back.status_code, back.headers["location"]) == (303, link)
        # A link on a page elsewhere: the browser sends the session with it.
        shown = await browser.get(
            link, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        )
        assert (shown.status_code, shown.text) == (200, CONTENT["index.html"].decode())
        name = next(name for name in browser.cookies if name.endswith("ernfed-session"))
        browser.cookies.set(name, "over", domain=next(iter(browser.cookies.jar)).domain, path="/")
        assert (await browser.get(link)).status_code == 303
