"""Accounts with providers: checked, encrypted, never shown again; and the way out of the house is guarded."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from campaigns.errors import InvalidAccount
from campaigns.models import SenderAccount
from campaigns.senders import accounts
from personalization.access.models import User
from personalization.access.outbound import ForbiddenAddress, Line, check_url

pytestmark = pytest.mark.django_db
SMS = {"account_sid": "AC123456", "auth_token": "canary-token", "sender": "Shop"}


def save(**changes: Any) -> SenderAccount:
    given = {"channel": "sms", "name": "Main", "values": SMS, "actor": "test", **changes}
    return accounts.save_account(given.pop("account", None), **given)


def test_a_secret_is_encrypted_and_kept_when_left_empty() -> None:
    row = save()
    row = save(account=row, values={**SMS, "auth_token": ""})
    assert SenderAccount.objects.get().values["auth_token"] == "canary-token"
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM campaigns_senderaccount AS s")
        assert "canary-token" not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("channel", "values", "field"),
    [
        ("sms", {**SMS, "sender": "much too long a name"}, "sender"),
        ("sms", {**SMS, "base_url": "http://169.254.169.254"}, "base_url"),
        ("email", {"smtp_url": "smtp://a", "backend": "x.y"}, "smtp_url"),
        ("email", {"backend": "no.such.Backend"}, "backend"),
        ("webhook", {"url": "https://x.example/", "secret": "short"}, "secret"),
        ("mobilepush", {"service_account": "{}"}, "service_account"),
        ("webpush", {"contact": "me"}, "contact"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(channel: str, values: Any, field: str) -> None:
    with pytest.raises(InvalidAccount) as caught:
        save(channel=channel, values=values)
    assert [one["pointer"] for one in caught.value.errors] == [f"/values/{field}"]


def test_keys_that_can_be_made_are_made_and_shown_as_records() -> None:
    mail = save(channel="email", values={"smtp_url": "smtp://mx:25", "dkim_domain": "shop.example"})
    assert accounts.facts_of(mail)[0][1].startswith("v=DKIM1; k=rsa; p=")
    push = save(channel="webpush", name="Push", values={"contact": "mailto:a@b.example"})
    assert len(accounts.facts_of(push)[0][1]) == 87  # 65 bytes of an uncompressed point


def test_the_page_shows_no_secret(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    row = save()
    page = client.get(f"/app/campaigns/senders/{row.pk}").content.decode()
    assert "AC123456" in page and "canary-token" not in page
    answer = client.post(
        f"/app/campaigns/senders/{row.pk}", {"name": "Main", "v_account_sid": "AC123456", "v_sender": ""}
    )
    assert answer.status_code == 422 and "canary-token" not in answer.content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "ftp://shop.example/", "https://user:pw@shop.example/", "https:///x",
        "https://shop.example/\r\nX: y", "https://shop.example/ü",
    ],
)  # fmt: skip
def test_only_plain_https_addresses_are_called(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
     "2130706433", "0x7f000001", "[fd00::1]", "100.64.0.1", "224.0.0.1"],
)  # fmt: skip
def test_no_address_leads_into_a_network_of_our_own(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        Line(check_url(f"https://{host}/"), timeout=1).connect()
