"""Frames of a DICOM file, as they are stored, with the media type of their transfer syntax (PS3.18 8.7.3.3.2)."""

from pathlib import Path
from typing import BinaryIO, Final

from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.uid import UID

from archives.errors import Rejected
from archives.multipart import Begin

_JPEG: Final = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
)
MEDIA_TYPES: Final = {
    **dict.fromkeys(_JPEG, "image/jpeg"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"), "image/jls"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"), "image/jp2"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93"), "image/jpx"),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203)), "image/jphc"),
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (100, 101)), "video/mpeg"),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (102, 103, 104, 105, 106)), "video/mp4"),
}
"""Of compressed frames by transfer syntax; any other is application/octet-stream."""
OCTETS: Final = "application/octet-stream"


def frames_of(file: Path | BinaryIO, listed: str) -> list[tuple[Begin, bytes]]:
    """listed: numbers from 1 with commas between. Raises Rejected 404 for a frame that there is not."""
    numbers = [int(number) for number in listed.split(",")]
    data_set = dcmread(file)
    count = int(data_set.get("NumberOfFrames") or 1)
    if "PixelData" not in data_set or not all(1 <= number <= count for number in numbers):
        raise Rejected("has no such frame", 404)
    syntax = UID(data_set.file_meta.TransferSyntaxUID)
    begin = Begin(MEDIA_TYPES.get(syntax, OCTETS), {"transfer-syntax": str(syntax)})
    if syntax.is_encapsulated:
        pixels = data_set.PixelData
        return [(begin, get_frame(pixels, n - 1, number_of_frames=count)) for n in numbers]
    return [(begin, _native(data_set, n, count)) for n in numbers]


def _native(data_set: Dataset, number: int, count: int) -> bytes:
    """Frames of single bits may begin within a byte."""
    bits = data_set.Rows * data_set.Columns * data_set.get("SamplesPerPixel", 1) * data_set.BitsAllocated
    if bits % 8 and count > 1:
        raise Rejected("frames that begin within a byte are not taken apart", 406)
    size = -(-bits // 8)
    content: bytes = data_set.PixelData[(number - 1) * size : number * size]
    if len(content) < size:
        raise Rejected("has no such frame", 404)
    return content
