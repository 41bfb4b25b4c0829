"""UTM parameters, and redirects that lead only where we signed."""

import base64
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.tracking import links
from campaigns.tracking.links import CLICK, Link
from campaigns.tracking.utm import tag_url, utm_of

UTM = {"source": "bespoke", "medium": "email", "campaign": "spring & sale", "content": "b"}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


def test_parameters_are_added_and_those_there_win() -> None:
    found = tag_url("https://shop.example/a?x=1&utm_source=mine#top", UTM)
    assert found == (
        "https://shop.example/a?x=1&utm_source=mine&utm_medium=email&utm_campaign=spring%20%26%20sale"
        "&utm_content=b#top"
    )


def test_without_a_source_there_are_none_and_names_come_by_themselves() -> None:
    assert utm_of({"campaign": "x"}, channel="email", campaign="Spring", variant="a") == {}
    found = utm_of({"source": "news"}, channel="email", campaign="Spring Sale!", variant="a")
    assert found == {"source": "news", "medium": "email", "campaign": "spring-sale", "content": "a"}


@given(TEXT, TEXT, TEXT)
def test_the_rest_of_an_address_never_changes(path: str, value: str, source: str) -> None:
    url = "https://shop.example/" + path.replace("?", "").replace("#", "") + "?x=1"
    before, after = urlsplit(url), urlsplit(tag_url(url, {"source": source, "campaign": value}))
    assert before[:3] == after[:3] and before.fragment == after.fragment
    assert parse_qs(after.query, keep_blank_values=True).get("utm_source", [""])[0] == source


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 400), st.integers(1, 255))
def test_no_token_but_ours_ever_redirects(noise: bytes, position: int, change: int) -> None:
    """Made up, or one of ours with any byte changed: a page, and never a way on."""
    own = links.sign(CLICK, Link(1, 1, "https://shop.example/"))
    raw = bytearray(base64.urlsafe_b64decode(own + "=" * (-len(own) % 4)))
    raw[position % len(raw)] ^= change
    for token in (base64.urlsafe_b64encode(noise).decode().rstrip("=") or "x",
                  base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")):  # fmt: skip
        response = Client().get(f"/t/c/{token}")
        assert response.status_code == 404 and "Location" not in response
