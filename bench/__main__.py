"""`./run bench [NAME …]`: the benchmarks of this folder, all or those named.

`idc` installs data and takes ten minutes: only when it is named.
"""

import importlib
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
WHEN_NAMED = {"idc"}


def main(wanted: list[str]) -> int:
    """Runs them one after another; 2 for a name that is none."""
    if unknown := sorted(set(wanted) - set(NAMES)):
        print(f"bench: no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in wanted or sorted(set(NAMES) - WHEN_NAMED):
        print(f"== {name}")
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
