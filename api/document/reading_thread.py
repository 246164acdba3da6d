"""Long documents are read beside the event loop: to parse and validate one takes up to a tenth of a second.

In one thread, so that many of them take from everybody else no more than one does.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

LONG: Final = 2_000
"""Characters that are read at once: at most a thousand tokens, ten milliseconds."""
_thread = ThreadPoolExecutor(1, "documents")


async def beside(document: str, work: Callable[[], T]) -> T:
    """What the work on a document returns; in the thread where the document is long."""
    if len(document) <= LONG:
        return work()
    own = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_thread, own.run, work)
