"""`ernfed query` against a real server, and against none."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.query import app
from tests.api.serving import serving

runner = CliRunner()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as (address, _):
        yield f"{address}/graphql"


def test_a_file_and_variables(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.graphql"
    file.write_text("query($n: Int!) { hello(first: $n) }", encoding="utf-8")
    done = runner.invoke(app, [str(file), "--url", url, "--variables", '{"n": 3}'])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"data": {"hello": "world"}})
    assert done.stdout.startswith('{\n  "data"')


def test_standard_input(url: str) -> None:
    done = runner.invoke(app, ["-", "--url", url], input="{ hello }")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"data": {"hello": "world"}})


@pytest.mark.parametrize("query", ["{ nope }", '{ fails(how: "input") hello }', "{"])
def test_errors_are_printed_and_exit_1(url: str, query: str) -> None:
    done = runner.invoke(app, ["-", "--url", url], input=query)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errors"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-", "--url", "http://127.0.0.1:9/graphql"], "ernfed serve"),
        (["-", "--url", "file:///etc/passwd"], "not an http"),
        (["-", "--variables", "[1]"], "JSON object"),
        (["-", "--variables", "{"], "not JSON"),
        (["no-such-file.graphql"], "no-such-file.graphql cannot be read"),
    ],
)
def test_what_cannot_be_asked(arguments: list[str], words: str) -> None:
    done = runner.invoke(app, arguments, input="{ hello }")
    assert done.exit_code == 1
    assert words in done.stderr
    assert done.stdout == ""


def test_an_answer_that_is_not_json(url: str) -> None:
    done = runner.invoke(app, ["-", "--url", url.replace("/graphql", "/schema.graphql")], input="{ hello }")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


def test_a_proxy_is_not_asked_for_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert runner.invoke(app, ["-", "--url", url], input="{ hello }").exit_code == 0
