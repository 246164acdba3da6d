"""What a caller can get wrong, as one tree. `code` is what clients switch on (extensions.code).

InputError       message says what was wrong with which input and what to do; never patient data
├── BadInput     BAD_INPUT    an argument, filter value, UID, date or attribute name
├── BadCursor    BAD_CURSOR   a page cursor that is broken, foreign or expired
├── NotFound     NOT_FOUND    a name that does not exist (an archive code)
└── Forbidden    FORBIDDEN    something that the viewer's grants do not cover
"""

from typing import ClassVar


class InputError(Exception):
    """Base: the caller's mistake, safe to show to the caller."""

    code: ClassVar[str] = "BAD_INPUT"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(InputError):
    code = "BAD_INPUT"


class BadCursor(InputError):
    code = "BAD_CURSOR"


class NotFound(InputError):
    code = "NOT_FOUND"


class Forbidden(InputError):
    code = "FORBIDDEN"
