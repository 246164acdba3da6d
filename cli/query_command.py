"""`ernfed query FILE|-`: one GraphQL operation against a running server, the answer as pretty JSON."""

import ipaddress
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

# A group without subcommands (the command tree wants one): options may follow FILE all the same.
app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})

_ACCEPT = "application/graphql-response+json, application/json;q=0.9"


class QueryFailed(Exception):
    """No answer that could be shown; the message says why and what to do."""


@app.callback(invoke_without_command=True)
def query(
    file: Annotated[str, typer.Argument(help="file that holds the query; - reads standard input")],
    variables: Annotated[str, typer.Option(help="the variables, as a JSON object")] = "{}",
    url: Annotated[
        str, typer.Option(help="the /graphql of a running server")
    ] = "http://127.0.0.1:8000/graphql",
    timeout: Annotated[float, typer.Option(help="seconds to wait for the answer")] = 60.0,
) -> None:
    """Runs a query; exit status 1 when the answer holds errors."""
    try:
        body = _ask(url, {"query": _read(file), "variables": _object(variables)}, timeout)
    except QueryFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    if not isinstance(body, dict) or body.get("errors"):
        raise typer.Exit(1)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise QueryFailed(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise QueryFailed(f"{file} is not UTF-8.") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise QueryFailed(f"--variables is not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(value, dict):
        raise QueryFailed('--variables must be a JSON object, for example {"first": 5}')
    return value


def _ask(url: str, operation: dict[str, Any], timeout: float) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise QueryFailed(f"--url {url} is not an http:// or https:// address.")
    request = urllib.request.Request(  # noqa: S310 (the scheme is checked above)
        url, json.dumps(operation).encode(), {"Content-Type": "application/json", "Accept": _ACCEPT}
    )
    try:
        with _opener(parts.hostname).open(request, timeout=timeout) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    except TimeoutError:
        raise QueryFailed(f"{url} did not answer within {timeout:g} s (--timeout).") from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise QueryFailed(
            f"nothing answers at {url} ({reason}). Start a server with: ernfed serve   (or give --url)"
        ) from None
    try:
        return json.loads(text)
    except ValueError:
        raise QueryFailed(f"{url} answered, but not with JSON: is it the /graphql of ernfed?") from None


def _opener(host: str) -> urllib.request.OpenerDirector:
    """This machine is never asked through a proxy."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
