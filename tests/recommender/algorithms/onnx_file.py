"""Tiny ONNX encoders, written byte by byte (protocol buffers): the mean of each channel over the picture."""

from pathlib import Path

FLOAT = 1


def number(value: int) -> bytes:
    found = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        found.append(low | (0x80 if value else 0))
        if not value:
            return bytes(found)


def field(tag: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    raw = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(raw)) + raw


def tensor(name: str, shape: list[int | str]) -> bytes:
    sizes = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sizes)))


def write_mean_encoder(path: Path, shape: list[int | str], *, axes: tuple[int, ...] = ()) -> Path:
    """A model whose one node averages over `axes` (ReduceMean); without axes it hands its input on."""
    if axes:
        listed = field(1, "axes") + b"".join(field(8, axis) for axis in axes) + field(20, 7)
        flat = field(1, "keepdims") + field(3, 0) + field(20, 2)
        node = field(1, "in") + field(2, "out") + field(4, "ReduceMean") + field(5, listed) + field(5, flat)
        rest = [size for at, size in enumerate(shape) if at not in axes]
    else:
        node, rest = field(1, "in") + field(2, "out") + field(4, "Identity"), shape
    graph = field(1, node) + field(2, "g") + field(11, tensor("in", shape)) + field(12, tensor("out", rest))
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, 11)))
    return path
