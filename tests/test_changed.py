"""The tests that `./run check quick` runs (tests/changed.py)."""

from tests.changed import ROOT, changed, concerning, imported


def test_those_of_the_name_come_before_those_that_import_it() -> None:
    found = concerning(["model/filters.py"])
    assert found[0] == "tests/model/test_filters.py"
    assert "tests/model/test_bounds.py" in found


def test_a_changed_test_is_run_and_what_takes_minutes_is_not() -> None:
    assert concerning(["tests/model/test_uids.py"]) == ["tests/model/test_uids.py"]
    assert concerning(["tests/leaks/test_walk.py"]) == []


def test_helpers_are_looked_through() -> None:
    assert "model.filters" in imported(ROOT / "tests/db/lists/test_lists.py")
    assert "tests/db/lists/test_paging.py" in concerning(["tests/rows.py"])


def test_what_changed_is_named_from_the_root() -> None:
    assert all(not each.startswith("/") for each in changed())
