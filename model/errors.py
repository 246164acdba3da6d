"""What a caller can get wrong, as one tree, and what an operator can. `code` is what clients switch on
(extensions.code).

InputError       message says what was wrong with which input and what to do; never patient data
├── BadInput     BAD_INPUT    an argument, filter value, UID, date or attribute name
├── BadCursor    BAD_CURSOR   a page cursor that is broken, foreign or expired
├── NotFound     NOT_FOUND    a name that does not exist (an archive code)
├── Forbidden    FORBIDDEN    something that the viewer's grants do not cover
└── of streams:
    ├── EventsExpired   EVENTS_EXPIRED          what was missed is not kept any more, or what may be seen has changed
    ├── SlowConsumer    SLOW_CONSUMER           the client did not take what was sent
    ├── GoingAway       GOING_AWAY              the server stops
    └── TooManyStreams  TOO_MANY_SUBSCRIPTIONS  as many as a person may have are open

OperatorError    whoever runs ernfed can mend it: message says what is wrong and what to do; commands end with it
├── SettingsError, ArchivesFileError, PseudonymKeysError           config
├── DatabaseUnreachable, MigrationError, EmbeddedPostgresError,
│   DefinitionRefused, BackupError, AuditUnavailable               db
├── CannotListen                                                   api
└── WrongUse, ConsentFileError, NotAnswered, InUse, OrthancError   cli
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


class EventsExpired(InputError):
    code = "EVENTS_EXPIRED"


class SlowConsumer(InputError):
    code = "SLOW_CONSUMER"


class GoingAway(InputError):
    code = "GOING_AWAY"


class TooManyStreams(InputError):
    code = "TOO_MANY_SUBSCRIPTIONS"


class OperatorError(Exception):
    """Base: what an operator can mend, safe to show to them."""
