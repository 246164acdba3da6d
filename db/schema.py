"""schema.sql: all migrations in one, for people to read; a test holds it to them.

python -m db.schema     writes it anew, from an embedded Postgres that ends with the command
"""

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from db.embedded.postgres import EmbeddedPostgres
from db.embedded.room import find_binaries
from db.migrate import migrate

FILE = Path(__file__).parent / "schema.sql"
_HEAD = "-- All migrations in one, made by `python -m db.schema`. Change db/migrations, not this file.\n\n"
_OPTIONS = ("--schema-only", "--no-owner", "--no-privileges", "--no-comments", "--restrict-key=none")
# What tells of this server and session and not of the schema.
_NOISE = re.compile(r"^(--.*|\\.*|SET .*|SELECT pg_catalog\.set_config.*)\n", re.MULTILINE)


def dump(database_url: str) -> str:
    """The schema of a database as SQL, the same for the same migrations."""
    done = subprocess.run(
        [str(find_binaries() / "pg_dump"), *_OPTIONS, f"--dbname={database_url}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return _HEAD + re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", done.stdout)).strip() + "\n"


def main() -> None:
    """Writes schema.sql."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as url:
        asyncio.run(migrate(url))
        FILE.write_text(dump(url), encoding="utf-8")


if __name__ == "__main__":
    main()
