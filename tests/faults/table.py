"""docs/misbehaviour.md from what the tests expect: `python -P -m tests.faults.table` writes it."""

from pathlib import Path
from typing import Final

from tests.faults.entries import ENTRIES
from tests.faults.expected import EXPECTED, RECOVERED
from tests.faults.misbehaviours import MISBEHAVIOURS

PAGE: Final = Path(__file__).parents[2] / "docs/misbehaviour.md"
_HEAD: Final = """\
# What comes of archives that misbehave

Written by `python -P -m tests.faults.table` from what `tests/faults` expects and CI checks: a scripted archive
misbehaves, each way that data comes in is gone, and people see this state and code. In each of these cases

- the answer comes inside the archive's `timeout` and a tenth of it; an index run has twice that, as it looks at the
  archive's health first;
- memory stays flat: less than 60 MB, whatever is sent;
- the archive beside it is answered and indexed as ever;
- nothing that the index had is lost, and nothing wrong is removed;
- once the archive is well and the same is asked again, all is well, without a restart{but}.

`CACHED`, `LIVE` and `completed` say that the answer was put right and is whole. The words are those of `sources.state`
and of [how a run ends](operator.md#how-a-run-ends), the codes are [here](frontend.md#errors).

"""


def page() -> str:
    columns = [way.shown for way in ENTRIES.values()]
    rows = [f"| the archive sends or does | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, case in MISBEHAVIOURS.items():
        cells = [_cell(EXPECTED[name][entry]) for entry in ENTRIES]
        rows.append(f"| {case.shown} | {' | '.join(cells)} |")
    exceptions = sorted({MISBEHAVIOURS[name].shown for name, _ in RECOVERED})
    but = (
        f";\n  but after {', '.join(exceptions)} what it made up goes only when somebody confirms it"
        if exceptions
        else ""
    )
    return _HEAD.replace("{but}", but) + "\n".join(rows) + "\n"


def _cell(outcome: str) -> str:
    state, _, code = outcome.partition(" ")
    return f"{state} `{code}`" if code else state


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
