"""Coupon codes: one for each message that shows it, never twice, whatever breaks on the way."""

import re
import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.coupons.services import add_codes, archive_pool, save_pool, take_codes
from campaigns.errors import CampaignNotReady, InvalidCoupons
from campaigns.models import Chunk, CouponCode, CouponPool, Delivery
from campaigns.planning.checks import check_campaign
from campaigns.rehearsing.rehearsal import rehearse
from campaigns.sending import chunk, handing
from personalization.access.models import Scope, User
from personalization.access.services import create_key
from tests.campaigns.needs.test_tags_in_messages import END, shown

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '{% coupon "spring" as code %}<p>{{ code }}</p>' + END


@pytest.fixture
def pool() -> CouponPool:
    return save_pool("spring", low_at=5, actor="test")


def fill(pool: CouponPool, n: int, start: int = 0) -> None:
    add_codes(pool, [f"S-{start + i}" for i in range(n)], actor="test")


def codes(sink: Any) -> dict[str, str]:
    return {who: re.findall(r"<p>([^<]*)</p>", html)[0] for who, html in shown(sink).items()}


def test_everybody_gets_a_code_of_their_own_and_who_finds_none_left_no_message(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, pool: CouponPool
) -> None:
    make_customers(8)
    fill(pool, 6)
    campaign = make_campaign(bodies=(BODY,))
    said = rehearse(campaign)
    assert (said.sent, [(f.reason, f.customers) for f in said.failures.values()]) == (6, [("no_coupon", 2)])
    assert CouponCode.objects.filter(taken_at=None).count() == 6
    run = services.launch(campaign, actor="test")
    send_all(run)
    got = codes(sink)
    assert sorted(got.values()) == [f"S-{n}" for n in range(6)]
    assert run.deliveries.filter(reason="no_coupon").count() == 2
    for row in Delivery.objects.filter(run=run, status="sent").select_related("customer"):
        assert row.coupons.get().code == got[row.customer.external_id]
        assert row.inputs["needs"] == {"coupon:spring:": got[row.customer.external_id]}


def test_a_code_that_a_message_does_not_show_goes_back(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, pool: CouponPool
) -> None:
    make_customers(2, traits={"vip": True})
    make_customers(2, start=2)
    make_customers(1, start=4, language="xx")
    fill(pool, 10)
    body = (
        '{% if customer.language == "xx" %}{% skip_customer "no" %}{% endif %}'
        f"{{% if customer.traits.vip %}}{BODY}{{% else %}}<p>none</p>{{% endif %}}" + END
    )
    run = services.launch(make_campaign(bodies=(body,)), actor="test")
    send_all(run)
    assert CouponCode.objects.exclude(taken_at=None).count() == 2
    assert CouponCode.objects.exclude(delivery=None).count() == 2
    assert sum(code.startswith("S-") for code in codes(sink).values()) == 2
    assert not any(
        (row.inputs or {}).get("needs") for row in run.deliveries.filter(customer__external_id="c3")
    )


@pytest.mark.parametrize("fault", ["4xx", "gone"])
def test_the_same_message_gets_the_same_code_again(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, pool: CouponPool, fault: str
) -> None:
    make_customers(4)
    fill(pool, 4)
    failed: set[str] = set()

    def once(recipient: str, number: int) -> str:
        if number < 0 or recipient in failed or recipient != "c1@example.com":
            return ""
        failed.add(recipient)
        return fault

    sink.fault = once
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    send_all(run)
    assert failed and CouponCode.objects.exclude(taken_at=None).count() == 4
    assert len(set(codes(sink).values())) == len(sink.accepted)
    for row in run.deliveries.select_related("customer"):
        if row.status == "sent":
            assert codes(sink)[row.customer.external_id] == row.coupons.get().code


def test_a_worker_that_dies_after_taking_codes_loses_and_doubles_none(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, pool: CouponPool, monkeypatch: Any
) -> None:
    make_customers(6)
    fill(pool, 6)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")

    class Killed(BaseException):
        pass

    def die(*_args: Any, **_kw: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(handing.Handing, "all", die)
        with pytest.raises(Killed):
            chunk.send_chunk(run.chunks.get().pk)
    taken = dict(
        CouponCode.objects.exclude(delivery=None).values_list("delivery__customer__external_id", "code")
    )
    assert len(taken) == 6 and not sink.accepted
    Chunk.objects.update(lease_until=timezone.now())
    send_all(run)
    assert codes(sink) == taken


def test_workers_at_once_take_every_code_exactly_once(
    make_customers: Any, make_campaign: Any, pool: CouponPool
) -> None:
    make_customers(40)
    fill(pool, 36)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    ids = list(run.deliveries.order_by("pk").values_list("pk", flat=True))
    found: list[dict[int, str]] = []

    def work(part: list[int]) -> None:
        try:
            found.append(take_codes(pool, part, at=timezone.now()))
        finally:
            connection.close()

    # Each delivery is asked for by two workers.
    parts = [ids[:20], ids[10:30], ids[20:], ids[:10] + ids[30:]]
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_delivery: dict[int, set[str]] = {}
    for some in found:
        for delivery, code in some.items():
            by_delivery.setdefault(delivery, set()).add(code)
    given = [code for several in by_delivery.values() for code in several]
    assert all(len(several) == 1 for several in by_delivery.values())
    assert len(given) == len(set(given)) == 36


def test_a_pool_is_checked_before_the_launch(
    make_customers: Any, make_campaign: Any, pool: CouponPool
) -> None:
    make_customers(1)
    fill(pool, 2)
    campaign = make_campaign(bodies=(BODY,))
    assert any(c.level == "warning" and "only 2 codes" in c.message for c in check_campaign(campaign))
    archive_pool(pool, actor="test")
    assert any(c.level == "error" and "no such pool" in c.message for c in check_campaign(campaign))
    with pytest.raises(CampaignNotReady):
        services.launch(campaign, actor="test")


def test_codes_come_in_once_and_a_wrong_one_keeps_all_out(pool: CouponPool) -> None:
    assert add_codes(pool, ["A", " B ", "A", ""], actor="test") == (2, 1)
    with pytest.raises(InvalidCoupons, match="no codes"):
        add_codes(pool, ["C", "<b>"], actor="test")
    assert sorted(CouponCode.objects.values_list("code", flat=True)) == ["A", "B"]


def test_pages_and_api_fill_a_pool(client: Any) -> None:
    _key, token = create_key(name="k", scopes=[Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE])
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}", "content_type": "application/json"}
    url = "/api/v1/coupon-pools/spring"
    assert client.put(url, {"low_at": 3}, **head).status_code == 200
    assert client.post(url + "/codes", {"codes": ["A", "B"]}, **head).json() == {"added": 2, "known": 0}
    assert client.post(url + "/codes", {"codes": ["A b"]}, **head).status_code == 422
    assert client.get("/api/v1/coupon-pools", **head).json()["results"][0]["left"] == 2
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    page = reverse("coupons:pool", args=["spring"])
    file = SimpleUploadedFile("codes.csv", "\ufeffX1;10 %\nX2;20 %\n".encode())
    assert client.post(page, {"low_at": "9", "codes": "C\r\nA", "file": file}).status_code == 302
    assert CouponCode.objects.count() == 5 and CouponPool.objects.get().low_at == 9
    kept = client.post(page, {"low_at": "9", "codes": "no code"}).content.decode()
    assert "no code</textarea>" in kept and 'role="alert"' in kept
    assert "Few codes are left" in client.get(page).content.decode()
    assert "spring" in client.get(reverse("coupons:list")).content.decode()
    assert client.delete(url, **head).status_code == 204
    client.logout()
    assert client.get(page).status_code == 302
