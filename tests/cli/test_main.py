"""`ernfed`: the command that is asked for is read, and what all commands are called is known without them."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from cli.__main__ import COMMANDS, build

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("asked", ["", "query", "--help"])
def test_no_other_command_is_read(asked: str) -> None:
    told = "import sys; from cli.__main__ import build; build(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told, asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    read = {name.removeprefix("cli.commands.") for name in done.stdout.split() if "cli.commands." in name}
    assert read & COMMANDS.keys() == ({asked} & COMMANDS.keys())


def test_all_are_named_whichever_is_read() -> None:
    named = [typer.main.get_group(build(asked)).commands for asked in (None, "", "query")]
    assert [[(name, each.help) for name, each in commands.items()] for commands in named] == [
        list(COMMANDS.items())
    ] * 3
