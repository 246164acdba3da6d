"""Building the viewer of images with node and npm (web/viewer/build.mjs), for `ernfed viewer` and the demo."""

import asyncio
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path

from config.viewer import MANIFEST
from model.errors import OperatorError

_SCRIPT = Path(__file__).parents[1] / "web" / "viewer" / "build.mjs"


class ViewerNotBuilt(OperatorError):
    """There is no viewer now; the message says why and what to do."""


async def build_viewer(folder: Path, say: Callable[[str], None]) -> None:
    """The viewer in `folder`, as this version wants it; where it is that already, nothing is fetched.

    say: gets a line for each step. Raises ViewerNotBuilt.
    """
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        if (folder / MANIFEST).is_file():
            return  # perhaps an older one; it is whole
        raise ViewerNotBuilt("it is built with npm, which is not here: apt-get install nodejs npm")
    process = await asyncio.create_subprocess_exec(
        node,
        str(_SCRIPT),
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # npm is its child, and ends with it
    )
    tail = deque[str](maxlen=5)
    try:
        while process.stdout and (line := await process.stdout.readline()):
            tail.append(line.decode("utf-8", "replace").rstrip())
            say(tail[-1])
        await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise ViewerNotBuilt("\n".join(tail) or f"node ended with {process.returncode}")
