"""Tables, as commands print them."""

from rich.console import Console
from rich.table import Table

_NUMBERS = ("studies", "series", "instances")


def table(*columns: str) -> Table:
    """Without lines; columns of numbers to the right."""
    made = Table(box=None, pad_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in _NUMBERS else "left")
    return made


def console() -> Console:
    """Wide when piped: a cut URL is of no use to grep."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=240)
