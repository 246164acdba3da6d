"""The viewer as it is built with npm, once for the checkout. CI must have npm and Chromium."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.viewer_build import ViewerNotBuilt, build_viewer
from config.viewer import DEFAULT_FOLDER
from tests.npm import IN_CI, NODE, installed

_LOOK = Path(__file__).parent / "browser"
PATIENCE = 240
"""Seconds: Chromium draws without a graphics card, beside other tests."""

Look = Callable[..., Any]


def required(reason: str) -> None:
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def built_viewer() -> Path:
    try:
        asyncio.run(build_viewer(DEFAULT_FOLDER, print))
    except ViewerNotBuilt as error:
        required(f"the viewer is not built: {error}")
    return DEFAULT_FOLDER


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """Opens a page in a real Chromium: browser/look.mjs, which says what it takes and tells."""
    chromium = shutil.which("chromium")
    if chromium is None:
        required("Chromium is not installed: apt-get install chromium")
    folder = installed(_LOOK, tmp_path_factory.mktemp("browser"))

    async def opened(url: str, **asked: Any) -> Any:
        process = await asyncio.create_subprocess_exec(
            NODE,
            "look.mjs",
            json.dumps({"url": url, "browser": chromium, **asked}),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                told, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, errors.decode()
        return json.loads(told)

    return opened
