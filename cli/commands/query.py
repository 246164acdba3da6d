"""`ernfed query FILE|-`: one GraphQL operation against a running server, the answer as pretty JSON."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.running_server import NotAnswered, access_token, json_object, posted
from cli.runner import problems_said

# A group without subcommands (the command tree wants one): options may follow FILE all the same.
app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})

_ACCEPT = {"Accept": "application/graphql-response+json, application/json;q=0.9"}


@app.callback(invoke_without_command=True)
def query(
    file: Annotated[str, typer.Argument(help="file that holds the query; - reads standard input")],
    variables: Annotated[str, typer.Option(help="the variables, as a JSON object")] = "{}",
    url: Annotated[
        str, typer.Option(help="the /graphql of a running server")
    ] = "http://127.0.0.1:8000/graphql",
    timeout: Annotated[float, typer.Option(help="seconds to wait for the answer")] = 60.0,
    token_file: Annotated[
        Path | None, typer.Option(help="file that holds an access token, for a server that wants one")
    ] = None,
) -> None:
    """Runs a query; exit status 1 when the answer holds errors."""
    with problems_said():
        operation = {
            "query": _read(file),
            "variables": json_object("--variables", variables, '{"first": 5}'),
        }
        body = _ask(url, operation, timeout, access_token(token_file))
    sys.stdout.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    if not isinstance(body, dict) or body.get("errors"):
        raise typer.Exit(1)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise NotAnswered(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NotAnswered(f"{file} is not UTF-8.") from None


def _ask(url: str, operation: dict[str, Any], timeout: float, token: str | None) -> Any:
    with posted(url, operation, timeout, _ACCEPT, token) as answer:
        text = answer.read()
    try:
        return json.loads(text)
    except ValueError:
        raise NotAnswered(f"{url} answered, but not with JSON: is it the /graphql of ernfed?") from None
