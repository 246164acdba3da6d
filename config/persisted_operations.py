"""The file of ERNFED_PERSISTED_OPERATIONS: the GraphQL documents that clients may name by their SHA-256.

Whether a document fits the schema is api/document/persisted.py's matter.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from config.settings import Settings, SettingsError

_NAME = "ERNFED_PERSISTED_OPERATIONS"


def load_persisted_operations(settings: Settings) -> dict[str, str]:
    """Documents by their SHA-256 in lower-case hexadecimal digits; none without a file. Raises SettingsError."""
    file = settings.persisted_operations
    if file is None:
        if settings.operations != "any":
            raise SettingsError(
                f"ERNFED_OPERATIONS: {settings.operations} needs {_NAME}: the file with the operations that "
                "may be run; without it, none could be"
            )
        return {}
    content = _read(file)
    if isinstance(content, dict):
        return _checked(file, content)
    if not isinstance(content, list):
        raise _wrong(file, "expected an object from SHA-256 to document, or a list of documents")
    documents = [_document(file, f"entry {number}", each) for number, each in enumerate(content, 1)]
    return {digest(document): document for document in documents}


def digest(document: str) -> str:
    """What a client names a document by: the SHA-256 of its UTF-8."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{_NAME}: cannot read {file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise _wrong(file, f"line {error.lineno}, column {error.colno}: not JSON") from None
    except (ValueError, RecursionError):
        raise _wrong(file, "not JSON in UTF-8") from None


def _checked(file: Path, content: dict[str, Any]) -> dict[str, str]:
    documents = {}
    for name, given in content.items():
        document = _document(file, f'entry "{name}"', given)
        true = digest(document)
        if name.removeprefix("sha256:") != true:
            raise _wrong(
                file,
                f'entry "{name}": the SHA-256 of its document is {true}. Write that (in lower case), or give '
                "a list of the documents alone",
            )
        documents[true] = document
    return documents


def _document(file: Path, where: str, given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise _wrong(file, f"{where}: expected a GraphQL document as a string")
    return given


def _wrong(file: Path, what: str) -> SettingsError:
    return SettingsError(f"{_NAME}: {file}: {what}")
