"""A database that refuses to derive one family, whatever it is made of: what no rule of ours foresees."""

from db.pool import Database


async def refuse(database: Database, study_uid: str) -> None:
    """Whoever counts this study fails, from now on."""
    await database.execute(
        "test",
        f"""create function refused() returns trigger language plpgsql as $$ begin
            if new.study_uid = '{study_uid}' then raise numeric_value_out_of_range; end if; return new; end $$;
        create trigger refused before insert on study_fact for each row execute function refused()""",
    )


async def allow(database: Database) -> None:
    await database.execute("test", "drop trigger refused on study_fact; drop function refused()")
