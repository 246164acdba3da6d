"""Parts come out as they went in, however the body is cut into pieces; what is not whole is not taken for it."""

from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from archives.errors import BadAnswer
from archives.multipart import Begin, Event, Parts, media_type_of
from archives.part_ten import Head, WrongContent, head_of
from tests.archives.files import everything, instance

DATA = Path(pydicom.__file__).parent / "data/test_files"


def joined(events: list[Event]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for event in events:
        if isinstance(event, Begin):
            found.append((event.type, b""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + event)
    return found


def fed(content: bytes, boundary: str, size: int) -> list[tuple[str, bytes]]:
    parts = Parts(boundary)
    events = [event for at in range(0, len(content), size) for event in parts.feed(content[at : at + size])]
    parts.end()
    return joined(events)


CONTENT = st.lists(
    st.one_of(st.binary(max_size=60), st.sampled_from([b"\r\n--b", b"\r\n--", b"--b", b"\r\n"])), max_size=4
)


@given(
    contents=CONTENT,
    size=st.integers(1, 80),
    preamble=st.sampled_from([b"", b"x", b"x\r\n"]),
    padded=st.booleans(),
)
def test_any_pieces(contents: list[bytes], size: int, preamble: bytes, padded: bool) -> None:
    head = (b" " if padded else b"") + b"\r\nContent-Type: image/jpeg\r\n\r\n"
    body = b"".join(b"\r\n--bound9" + head + each for each in contents) + b"\r\n--bound9--\r\nepilogue"
    whole = preamble + body if preamble else body[2:]
    assert fed(whole, "bound9", size) == [("image/jpeg", each) for each in contents]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b",
        b"--b\r\n",
        b"--b\r\n\r\nabc",
        b"--b\r\n\r\nabc\r\n--b",
        b"--b\r\n" + b"X: y\r\n" * 9_000,
        b"x" * 99,
    ],
)
def test_what_is_not_whole(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        fed(content, "b", 7)


def test_types_are_read_as_others_write_them() -> None:
    message = EmailMessage()
    message["Content-Type"] = (
        'Multipart/Related; type="application/dicom"; Boundary="a b;c"; transfer-syntax=*'
    )
    found = media_type_of(str(message["Content-Type"]))
    assert (found.type, found.parameters["boundary"]) == ("multipart/related", "a b;c")
    assert media_type_of("nonsense").type == "text/plain"
    assert media_type_of("").parameters == {}


FILES = sorted(path for path in DATA.glob("*.dcm") if path.read_bytes()[128:132] == b"DICM")


def test_heads_of_real_files() -> None:
    """Little endian, big endian, implicit, deflated, odd: what is found in the beginning is what the whole says."""
    syntaxes = set()
    for path in FILES:
        content, told = path.read_bytes(), dcmread(path, force=True)
        if "SOPInstanceUID" not in told or "TransferSyntaxUID" not in told.file_meta:
            continue  # says nothing of itself
        head = head_of(content, is_whole=True)
        assert head is not None
        assert (head.transfer_syntax, head.uids[2]) == (told.file_meta.TransferSyntaxUID, told.SOPInstanceUID)
        syntaxes.add(head.transfer_syntax)
        for size in range(200, min(len(content), 20_000), 997):
            early = head_of(content[:size])
            assert early is None or early == head, path.name
    assert len(syntaxes) > 10


def test_what_is_no_file() -> None:
    with pytest.raises(WrongContent):
        head_of(b"x" * 200)
    assert head_of(b"") is None
    assert head_of(bytes(128) + b"DICM" + b"x" * 99, is_whole=True) is None
    uids = ("1.2.3", "1.2.3.1", "1.2.3.1.1")
    known = Head(uids, "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.2", ("P3", None))
    assert head_of(instance("1.2.3")[:4_000]) == known
    for content in everything():
        found = head_of(content[:16_000])
        assert found is None or found.uids[0] == dcmread(BytesIO(content)).StudyInstanceUID
