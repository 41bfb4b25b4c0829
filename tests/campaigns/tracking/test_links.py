"""Signed links: only ours, only for their purpose, only unchanged."""

import base64
import hmac
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.tracking import links
from campaigns.tracking.links import CLICK, OPEN, UNSUBSCRIBE, Link

LINK = Link(12, 1_700_000_000, "https://shop.example/sale?a=1&b=ü")


@pytest.mark.parametrize("purpose", [OPEN, CLICK, UNSUBSCRIBE])
def test_a_token_comes_back_as_it_was_signed(purpose: str) -> None:
    assert links.read(purpose, links.sign(purpose, LINK)) == LINK


def test_a_click_token_opens_no_unsubscribe() -> None:
    token = links.sign(CLICK, LINK)
    assert links.read(UNSUBSCRIBE, token) is None and links.read(OPEN, token) is None


def test_every_flipped_bit_is_found() -> None:
    raw = base64.urlsafe_b64decode(links.sign(CLICK, LINK) + "==")
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        token = base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()
        assert links.read(CLICK, token) is None


@settings(max_examples=500)
@given(st.text(alphabet=string.printable + "ü\0", max_size=200))
def test_what_we_did_not_sign_is_nothing(token: str) -> None:
    assert links.read(CLICK, token) is None


@settings(max_examples=300)
@given(st.integers(0, 200), st.characters())
def test_a_token_has_one_spelling(position: int, character: str) -> None:
    token = links.sign(CLICK, LINK)
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    assert links.read(CLICK, changed) in ((LINK,) if changed == token else (None,))


def test_a_message_id_is_the_same_for_every_try_and_another_for_everyone_else() -> None:
    assert links.message_id(9, 1, 2, "email") == links.message_id(9, 1, 2, "email")
    ids = {links.message_id(9, run, customer, "email") for run in range(20) for customer in range(20)}
    assert len(ids) == 400


def test_an_address_too_long_for_a_link_is_left_alone() -> None:
    assert links.Links(1, 1).click("https://shop.example/" + "a" * 5000) is None


def test_the_links_of_a_message_are_the_signed_ones_and_hmac_is_that_of_the_library(settings) -> None:
    settings.SITE_URL, settings.LINK_KEY = "https://shop.example", "k" * 100
    own = links.Links(9, 1_800_000_000)
    for made, purpose, url in (
        (own.unsubscribe, UNSUBSCRIBE, ""), (own.pixel.removesuffix(".gif"), OPEN, ""),
        (own.trap, links.TRAP, ""), (own.click("https://shop.example/é?a=1&b=2"), CLICK, "https://shop.example/é?a=1&b=2"),
    ):  # fmt: skip
        token = made.rpartition("/")[2]
        assert links.read(purpose, token) == Link(9, 1_800_000_000, url)
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        key = hmac.digest(b"k" * 100, b"bespoke link: " + purpose.encode(), "sha256")
        assert raw[-16:] == hmac.digest(key, raw[:-16], "sha256")[:16]
