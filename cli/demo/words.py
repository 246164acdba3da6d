"""What the demo says: progress while it works, then the URLs and ready queries. Knows nothing of servers."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.demo.made_studies import SPLIT_STUDY_UID

LIST_QUERY = """\
{
  studies(first: 5, orderBy: [{ field: STUDY_DATE, direction: DESC }]) {
    totalCount
    complete
    nodes { studyDate patientName { text } modalitiesInStudy locations { archive { code } } }
    sources { archive { code } state }
  }
}"""
VIEWER_QUERY = "{ viewer { subject name grants { ern access verbs } } }"
SPLIT_QUERY = f"""\
{{
  study(studyInstanceUid: "{SPLIT_STUDY_UID}") {{
    studyDescription
    patientName {{ text }}
    locations {{ archive {{ code ern }} numberOfSeries }}
    conflicts {{ keyword values {{ archive {{ code }} text }} }}
    series {{ nodes {{ modality seriesDescription locations {{ archive {{ code }} }} }} }}
  }}
}}"""


class Words:
    """Step by step on a terminal with a spinner and a bar; a line a step elsewhere."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal without these letters shows '?', and goes on
                stream.reconfigure(errors="replace")
        self.console = Console(highlight=False, soft_wrap=True)

    def line(self, text: str = "") -> None:
        """As it stands: no markup."""
        self.console.print(text, markup=False)

    @contextlib.contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        """A step that takes a moment. What the block appends is said at its end."""
        started, told = time.monotonic(), list[str]()
        if self.console.is_terminal:
            with self.console.status(doing):
                yield told
        else:
            self.line(f"  {doing} ...")
            yield told
        self._done(doing, told, started)

    @contextlib.contextmanager
    def counted(self, doing: str) -> Iterator[tuple[Callable[[int, int], None], list[str]]]:
        """A step with a bar: the block calls (done, all)."""
        started, told = time.monotonic(), list[str]()
        if not self.console.is_terminal:
            self.line(f"  {doing} ...")
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as bar:
            task = bar.add_task(doing, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total), told
        self._done(doing, told, started)

    def _done(self, doing: str, told: list[str], started: float) -> None:
        more = f": {', '.join(told)}" if told else ""
        self.line(f"ok {doing}{more} ({time.monotonic() - started:.1f} s)")

    def ready(self, url: str, archives_file: str, *, viewer: bool) -> None:
        """Everything is up: where, and what to try first."""
        self.line(
            f"""
ernfed is ready at {url}

  explorer   {url}/{f"{chr(10)}  viewer     {url}/viewer/" if viewer else ""}
  GraphQL    {url}/graphql
  archives   {archives_file}

The newest studies of all archives:

{_curl(url, LIST_QUERY)}

One study that lies in two archives, whose copies disagree:

{SPLIT_QUERY}

{_curl(url, SPLIT_QUERY)}
"""
        )

    def how_to_stop(self) -> None:
        """The last line before it serves."""
        self.line("\nStop with Ctrl-C. The next start takes seconds.")

    def people(self, url: str, tokens: Sequence[tuple[str, str]]) -> None:
        """Who else one can be: (role, access token) of each."""
        self.line("\nWithout a token you see everything. With one of these you are that person:")
        for role, token in tokens:
            self.line(f"\n{role}\n{token}")
        self.line(f"\nWho am I?\n\n{_curl(url, VIEWER_QUERY)} -H 'Authorization: Bearer {tokens[0][1]}'")


def _curl(url: str, query: str) -> str:
    body = json.dumps({"query": " ".join(query.split())})
    return f"curl -s {url}/graphql -H 'Content-Type: application/json' -d '{body}'"
