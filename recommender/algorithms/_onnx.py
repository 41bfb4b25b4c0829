"""Any image encoder that comes as an ONNX file: it says itself what pictures it wants."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import MissingExtraError
from recommender.algorithms._features import Picture
from recommender.algorithms._pictures import resized

# What nearly every public image network was trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DEFAULT_SIDE = 224
BATCH = 16
THREADS = 2
CHANNELS = (1, 3)


class EncoderError(ValueError):
    """The file is no image encoder that can be used; says why."""


class OnnxEncoder:
    """float32[n, d] from the network's first output; positions of a feature map or of tokens are averaged.

    Size and layout (channels first or last, color or grey) are read from the shape of the model's input; a
    free height or width becomes the size in `preprocessor_config.json` beside the file, else 224. Pixels
    are scaled to 0–1, then (x − mean) / std: from the arguments, else from that file (its names as at
    Hugging Face: image_mean, image_std), else ImageNet's. Raises EncoderError and MissingExtraError.
    """

    def __init__(
        self, path: Path, *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ) -> None:
        self.path = path
        config = _config(path)
        self._mean = _channels(mean or config.get("image_mean") or IMAGENET_MEAN)
        self._std = _channels(std or config.get("image_std") or IMAGENET_STD)
        self._free_size = _size(config)

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("an ONNX encoder needs") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        try:
            return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class but this one
            raise EncoderError(f"{self.path} cannot be loaded as an ONNX model: {error}") from error

    @cached_property
    def _shape(self) -> tuple[int | None, int, int, int, bool]:
        """Batch (None: any), channels, height, width, and whether channels come last."""
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if len(inputs) == 1 else []
        if len(shape) != 4 or inputs[0].type not in ("tensor(float)", "tensor(float16)"):
            raise EncoderError(f"{self.path} does not take one batch of pictures as floating numbers")
        batch, *rest = (size if isinstance(size, int) and size > 0 else None for size in shape)
        is_last = rest[2] in CHANNELS and rest[0] not in CHANNELS
        channels, height, width = (rest[2], rest[0], rest[1]) if is_last else rest
        if channels not in (*CHANNELS, None):
            raise EncoderError(f"{self.path} takes pictures of {channels} channels, not 1 or 3")
        return batch, channels or 3, height or self._free_size[0], width or self._free_size[1], is_last

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._shape[2], self._shape[3]

    def encode(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float32]:
        batch = self._shape[0] or BATCH
        found = [
            self._run(self._prepared(pictures[start : start + batch]), batch)
            for start in range(0, len(pictures), batch)
        ]
        if not found:
            return np.zeros((0, 0), dtype=np.float32)
        vectors = np.concatenate(found)
        if not np.isfinite(vectors).all():
            raise EncoderError(f"{self.path} answers numbers that are not finite")
        return vectors

    def _prepared(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float32]:
        _, channels, height, width, is_last = self._shape
        pixels = resized(pictures, height, width).astype(np.float32) / 255
        if channels == 1:
            pixels = pixels.mean(axis=3, keepdims=True)
        pixels = (pixels - self._mean[:channels]) / self._std[:channels]
        return np.ascontiguousarray(pixels if is_last else pixels.transpose(0, 3, 1, 2))

    def _run(self, pixels: npt.NDArray[np.float32], batch: int) -> npt.NDArray[np.float32]:
        asked = self._session.get_inputs()[0]
        count = len(pixels)
        if self._shape[0] is not None and count < batch:  # a fixed batch is filled up
            pixels = np.concatenate([pixels, np.zeros((batch - count, *pixels.shape[1:]), np.float32)])
        kind = np.float16 if asked.type == "tensor(float16)" else np.float32
        try:
            answer = np.asarray(self._session.run(None, {asked.name: pixels.astype(kind)})[0])
        except Exception as error:
            raise EncoderError(f"{self.path} failed on pictures of {pixels.shape}: {error}") from error
        if answer.ndim < 2 or len(answer) != len(pixels):
            raise EncoderError(f"{self.path} answers {answer.shape} for {len(pixels)} pictures")
        return _pooled(answer)[:count]


def _pooled(answer: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """[n, d] as it is; a map [n, d, h, w] over its places, tokens [n, t, d] over the tokens."""
    axes = {3: (1,), 4: (2, 3)}.get(answer.ndim, tuple(range(2, answer.ndim)))
    return np.asarray(answer.mean(axis=axes) if axes else answer, dtype=np.float32)


def _config(path: Path) -> dict[str, Any]:
    beside = path.with_name("preprocessor_config.json")
    if not path.is_file():
        raise EncoderError(f"there is no file {path}")
    if not beside.is_file():
        return {}
    try:
        config = json.loads(beside.read_text())
    except (OSError, ValueError) as error:
        raise EncoderError(f"{beside} cannot be read: {error}") from error
    return config if isinstance(config, dict) else {}


def _size(config: dict[str, Any]) -> tuple[int, int]:
    size: Any = config.get("crop_size") or config.get("size") or DEFAULT_SIDE
    if not isinstance(size, dict):
        return int(size), int(size)
    edge = int(size.get("shortest_edge") or DEFAULT_SIDE)
    return int(size.get("height") or edge), int(size.get("width") or edge)


def _channels(values: Sequence[float]) -> npt.NDArray[np.float32]:
    found = np.asarray(values, dtype=np.float32).ravel()
    if len(found) not in CHANNELS or not np.isfinite(found).all():
        raise EncoderError(f"mean and std have 1 or 3 values, not {list(values)}")
    return np.asarray(np.broadcast_to(found, 3) if len(found) == 1 else found)
