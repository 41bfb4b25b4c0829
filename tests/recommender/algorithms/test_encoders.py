"""Reading pictures and videos with care, and turning them into vectors."""

import json

import numpy as np
import pytest
from PIL import Image

from recommender.algorithms import ItemFeatures
from recommender.algorithms import _pictures as pictures
from recommender.algorithms._encoders import PatchEncoder, encode_items
from recommender.algorithms._onnx import EncoderError, OnnxEncoder
from recommender.algorithms._pictures import PictureError, read_picture, read_video, resized
from tests.recommender.algorithms.content_data import pictures_of
from tests.recommender.algorithms.onnx_file import write_mean_encoder

RED = np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8)


def test_a_picture_is_shrunk_and_its_transparency_is_white(tmp_path):
    Image.new("RGBA", (100, 50), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    found = read_picture(tmp_path / "clear.png", side=20)
    assert found.shape == (10, 20, 3) and (found == 255).all()


def test_pictures_that_are_cut_off_too_large_or_none_are_refused(tmp_path, monkeypatch):
    whole, half, text = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(whole)
    half.write_bytes(whole.read_bytes()[:700])
    text.write_text("<svg/>")
    assert read_picture(whole, side=64).shape == (64, 64, 3)
    for path in (half, text, tmp_path / "missing.png"):
        with pytest.raises(PictureError, match=path.name):
            read_picture(path, side=64)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 4000)
    with pytest.raises(PictureError, match="64 × 64"):
        read_picture(whole, side=64)


def test_a_picture_keeps_its_shape_in_a_square():
    wide = np.full((2, 8, 3), (10, 20, 30), dtype=np.uint8)
    assert (resized([wide, wide[..., 0]], 16, 16)[0] == (10, 20, 30)).all()
    with pytest.raises(ValueError, match="shape"):
        resized([np.zeros((0, 3, 3), dtype=np.uint8)], 8, 8)


def test_a_video_is_sampled_from_its_beginning_to_its_end(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt, stream.gop_size = "yuv420p", 1
        for shade in range(0, 200, 5):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), shade, dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    frames = read_video(path, side=16, frames=4)
    assert frames.shape == (4, 16, 16, 3)
    assert (np.diff(frames.mean(axis=(1, 2, 3))) > 30).all()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PictureError, match=r"film\.mp4"):
        read_video(path, side=16)


def test_the_trained_encoder_puts_like_patterns_together():
    topics = np.arange(100) % 5
    images = pictures_of(topics)
    vectors, has = encode_items(ItemFeatures(images=images), 100, PatchEncoder(dimensions=32, centers=40))
    again, _ = encode_items(ItemFeatures(images=images), 100, PatchEncoder(dimensions=32, centers=40))
    assert has.all() and vectors.shape == (100, 32) and np.array_equal(vectors, again)

    def agreement(rows):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        similar = unit @ unit.T
        np.fill_diagonal(similar, -2)
        return (topics[similar.argmax(axis=1)] == topics).mean()

    raw = np.stack([image.ravel() for image in images]).astype(float)
    assert agreement(vectors) > max(0.8, agreement(raw - raw.mean(axis=0)))


def test_an_item_is_the_mean_of_its_picture_and_the_frames_of_its_video():
    class Brightness:
        def encode(self, pictures):
            return np.array([[picture.mean()] for picture in pictures], dtype=np.float32)

    def shade(value):
        return np.full((4, 4, 3), value, dtype=np.uint8)

    features = ItemFeatures(
        images=[shade(10), None, None],
        videos=[np.stack([shade(40), shade(70)]), np.stack([shade(5)]), None],
        encoder=Brightness(),
    )
    vectors, has = encode_items(features, 3, PatchEncoder())
    assert vectors.ravel().tolist() == [40, 5, 0] and has.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("shape", "axes", "size"),
    [
        (["n", 3, 8, 6], (2, 3), (8, 6)),
        (["n", 8, 6, 3], (1, 2), (8, 6)),
        ([2, 3, 8, 8], (2, 3), (8, 8)),  # a fixed batch
        (["n", 3, "height", "width"], (2, 3), (224, 224)),
        (["n", 3, 8, 8], (), (8, 8)),  # a feature map, averaged by us
    ],
)
def test_an_onnx_model_says_itself_what_pictures_it_wants(tmp_path, shape, axes, size):
    pytest.importorskip("onnxruntime")
    path = write_mean_encoder(tmp_path / "mean.onnx", shape, axes=axes)
    encoder = OnnxEncoder(path, mean=[0.5, 0.5, 0.5], std=[0.5, 0.25, 1.0])
    assert encoder.size == size
    found = encoder.encode([RED, RED, np.zeros((5, 9), dtype=np.uint8)])
    red, black = [1, -2, -0.5], [-1, -2, -0.5]  # (x − 0.5) / std of each channel
    assert found == pytest.approx(np.array([red, red, black]), abs=1e-5)
    assert encoder.encode([]).shape == (0, 0)


def test_the_settings_beside_a_model_are_read(tmp_path):
    pytest.importorskip("onnxruntime")
    path = write_mean_encoder(tmp_path / "mean.onnx", ["n", 3, "h", "w"], axes=(2, 3))
    config = {"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "size": {"shortest_edge": 12}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    encoder = OnnxEncoder(path)
    assert encoder.size == (12, 12)
    assert encoder.encode([RED]).tolist() == [[1, 0, 0]]


def test_files_that_are_no_image_encoder_are_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(EncoderError, match="no file"):
        OnnxEncoder(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        OnnxEncoder(tmp_path / "text.onnx").encode([RED])
    for shape in (["n", 3], ["n", 7, 8, 8]):
        path = write_mean_encoder(tmp_path / "other.onnx", shape, axes=(1,))
        with pytest.raises(EncoderError):
            OnnxEncoder(path).encode([RED])
