"""Who counts as reachable by mail at the launch is who will be written to."""

import pytest
from django.db import connection

from campaigns import channels
from campaigns.transport.mime import wire_address

ADDRESSES = {
    "ann@shop.example": True, "ann.b-c+d@shop.example": True, "'@example.com": True,
    "\u00fc@m\u00fcller.example": True,
    "a" * 64 + "@shop.example": True, "a" * 65 + "@shop.example": False,
    "dots..dots@example.net": False, ".ann@shop.example": False, "ann.@shop.example": False,
    "ann@shop": False, "ann@shop..example": False, "ann@.shop.example": False, "two@@shop.example": False,
    "name@": False, "not an address": False, "": False,
}  # fmt: skip


def is_taken(address: str) -> bool:
    try:
        return bool(wire_address(address))
    except ValueError:
        return False


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "reachable"), ADDRESSES.items())
def test_python_and_the_database_know_an_address_alike(address: str, reachable: bool) -> None:
    channel = channels.get("email")
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ~ %s", [address, channel.address_pattern])
        assert cursor.fetchone()[0] == channel.is_address(address) == reachable
    # A name without a dot is a server of the house, for which a sender may be set up by hand.
    assert is_taken(address) == reachable or address == "ann@shop"
