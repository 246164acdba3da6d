"""How long an archive is left in peace."""

from indexer.rhythm import pause


def test_pauses() -> None:
    assert 54 <= pause(60, 0) <= 66
    assert pause(-5, 0) == 0
    assert 4.5 <= pause(60, 1) <= 5.5
    assert 9 <= pause(60, 2) <= 11
    assert all(200 <= pause(3600, failures) <= 300 for failures in (8, 9, 100, 10_000))
