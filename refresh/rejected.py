"""What is said of records that an archive answers and the index cannot hold: how many, and nothing of them."""

from typing import Final

REJECTED: Final = "REJECTED_RECORDS"


def rejected_records(count: int) -> str:
    """A sentence for people."""
    were = "record of this archive is" if count == 1 else "records of this archive are"
    return f"{count} {were} not in the index, or not as it has it now: what it answered cannot be taken for a record."
