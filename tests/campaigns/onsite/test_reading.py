"""The fast reader and the serializers take the same for the same, or the fast one takes nothing."""

import json

import pytest

from campaigns.onsite.api import DecideRequest, _question
from campaigns.onsite.reading import MAX_BYTES, read_call

USUAL = [
    {"placements": ["hero"]},
    {"placements": ["hero", "footer"], "customer": "c-7", "anonymous_id": "v-1", "seen": False},
    {
        "placements": ["hero"],
        "private": True,
        "context": {"page": {"url": "https://a.example"}, "cart": ["mug"]},
    },
    {"placements": ["hero"], "customer": ""},
    {"batch": [{"placements": ["hero"], "customer": "c-1"}, {"placements": ["a"]}]},
]
UNUSUAL = [
    {}, [], {"placements": []}, {"placements": "hero"}, {"placements": [7]}, {"placements": [" hero"]},
    {"placements": [""]}, {"placements": ["x" * 101]}, {"placements": ["a"] * 21}, {"batch": []},
    {"placements": ["a"], "customer": 7}, {"placements": ["a"], "customer": "a\0b"},
    {"placements": ["a"], "customer": "x" * 201}, {"placements": ["a"], "seen": "yes"},
    {"placements": ["a"], "context": {"device": "fridge"}}, {"placements": ["a"], "context": []},
    {"placements": ["a"], "batch": [{"placements": ["a"]}]}, {"batch": [{}]},
    {"batch": [{"placements": ["a"]}] * 101}, {"placements": ["a"], "customer": "\ud800"},
    {"placements": ["a"], "costumer": "c-1"},
]  # fmt: skip


@pytest.mark.parametrize("body", USUAL)
def test_a_usual_call_is_read_as_the_serializers_read_it(body):
    slow = DecideRequest(data=body)
    slow.is_valid(raise_exception=True)
    asked = slow.validated_data
    expected = [_question(one) for one in asked.get("batch", [asked])]
    assert read_call(json.dumps(body).encode()) == (expected, "batch" in body)


@pytest.mark.parametrize("body", UNUSUAL)
def test_what_is_unusual_is_left_to_the_serializers(body):
    assert read_call(json.dumps(body).encode()) is None


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff", b'{"placements": ["a"], "context": NaN}', b" " * (MAX_BYTES + 1), b"[" * 9_000],
)
def test_what_is_no_json_or_too_long_is_left_to_them_too(raw):
    assert read_call(raw) is None
