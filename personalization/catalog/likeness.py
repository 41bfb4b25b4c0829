"""When two pictures are nearly the same: another size, another compression, a watermark.

A picture is its 64 steps from a pixel to the next (dHash, after Krawetz 2013) and its colors on a grid of
4 × 4: flat pictures of unlike things have the same steps, and colors tell them apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

# Of the 64 steps, and of 255 on average: re-compressed and shrunk pictures stay below, others far above.
MOST_STEPS, MOST_COLOR = 5, 10.0
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """`steps` as a signed number of 64 bits, as PostgreSQL keeps it; `colors` are 48 bytes."""

    steps: int
    colors: bytes


def look_of(image: Image.Image) -> Look:
    gray = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.LANCZOS), dtype=np.int16)
    bits = np.packbits(gray[:, 1:] > gray[:, :-1])
    colors = np.asarray(image.convert("RGB").resize((4, 4), Image.Resampling.BOX))
    return Look(int.from_bytes(bits.tobytes(), "big", signed=True), colors.tobytes())


def nearest(look: Look, steps: npt.NDArray[np.int64], colors: Bytes) -> int | None:
    """The place of the picture that is most like it; None where none is nearly the same. `colors` are
    pictures × 48.
    """
    apart = np.bitwise_count(np.bitwise_xor(steps, np.int64(look.steps)).view(np.uint64))
    near = np.flatnonzero(apart <= MOST_STEPS)
    if not len(near):
        return None
    own = np.frombuffer(look.colors, dtype=np.uint8).astype(np.int16)
    unlike = np.abs(colors[near].astype(np.int16) - own).mean(axis=1)
    near, unlike = near[unlike <= MOST_COLOR], unlike[unlike <= MOST_COLOR]
    return int(near[np.lexsort((near, unlike, apart[near]))[0]]) if len(near) else None
