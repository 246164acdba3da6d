"""Thrift's compact protocol, as far as the metadata of a Parquet file needs it (api/export/parquet.py)."""

from collections.abc import Sequence

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
Value = tuple[int, bytes]
"""A type and what stands for the value."""
FALSE: Value = (2, b"")
"""A boolean of a struct has no value beside its type."""


def struct_of(*fields: tuple[int, Value]) -> bytes:
    """Fields by number, in ascending order and less than 16 apart."""
    written, before = bytearray(), 0
    for number, (kind, value) in fields:
        written.append((number - before) << 4 | kind)
        written += value
        before = number
    return bytes(written) + b"\0"


def struct_value(*fields: tuple[int, Value]) -> Value:
    return STRUCT, struct_of(*fields)


def list_of(kind: int, items: Sequence[bytes]) -> Value:
    count = len(items)
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + varint(count)
    return LIST, head + b"".join(items)


def int32(value: int) -> Value:
    return I32, zigzag(value)


def int64(value: int) -> Value:
    return I64, zigzag(value)


def text(value: str) -> Value:
    return BINARY, binary(value)


def binary(value: str) -> bytes:
    encoded = value.encode("utf-8", "replace")
    return varint(len(encoded)) + encoded


def zigzag(value: int) -> bytes:
    return varint(value << 1 ^ value >> 63)


def varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
