"""What was sent can be had again, to the byte, whatever changed since; and not once a person is erased."""

import base64
import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from campaigns import services
from campaigns.coupons.services import add_codes, save_pool
from campaigns.models import ContentSource, CopyPattern, Delivery, SentCopy
from campaigns.sending import copies
from campaigns.sending.journal import Journal
from campaigns.why.rerender import Gone, NeverSent, rerender
from personalization.access.models import PersonalRead, User
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.content.phrase_services import save_phrase_set
from personalization.content.services import save_block
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.privacy.erasure import erase
from tests.campaigns.needs.test_connected_content import server, source  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
END = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
EVERY_TAG = (
    '{% block "footer" %}<p>{{ customer.first_name }} {{ customer.traits.color }} {{ now }}</p>'
    '{% recommend "popular" count: 2 as best %}'
    '{% for item in best %}<a href="https://shop.example/{{ item.name }}">'
    "{{ item.price | money: item.currency }}</a>{% endfor %}"
    "{% for item in items %}[{{ item.name }} {{ item.reason }}]{% endfor %}"
    "{% last_orders as orders %}{% for o in orders %}<p>{{ o.id }} {{ o.total }}</p>{% endfor %}"
    '{% vary "hero" %}<p>A</p>{% or %}<p>B</p>{% endvary %}{% generate "words" %}'
    '{% connected_content "weather" city: customer.city as weather %}{{ weather.sky }}'
    '{% coupon "spring" as code %}{{ code }}<pre>.a dot\n.\n</pre>' + END
)


@pytest.fixture
def shop(server: Any) -> Any:  # noqa: F811
    save_block("footer", texts={"": "<p>old</p>", "zh": "<p>旧</p>"}, actor="test")
    save_phrase_set("words", texts={"": "start:\n- one\n- two\n"}, actor="test")
    add_codes(save_pool("spring", low_at=0, actor="test"), [f"S-{n}" for n in range(9)], actor="test")
    source(server)
    return Item.objects.bulk_create(
        Item(external_id=f"i{n}", name=f"Item {n}", price=Decimal(n + 1), currency="EUR") for n in range(6)
    )


def test_every_tag_comes_back_to_the_byte_after_all_that_it_was_made_from_has_changed(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, shop: Any, settings: Any
) -> None:
    people = make_customers(3, city="Cork", traits={"color": "blue"})
    people += make_customers(2, start=3, city="Bonn", language="zh", last_name="李")
    at = datetime.now(UTC) - timedelta(days=1)
    record_events(
        NewEvent(p.pk, f"o-{p.pk}", "Order Line", at, item_id=shop[0].pk, value=Decimal(1),
                 properties={"order_id": "o1", "quantity": 1, "currency": "EUR"})
        for p in people
    )  # fmt: skip
    run = services.launch(make_campaign(bodies=(EVERY_TAG, EVERY_TAG)), actor="test")
    send_all(run)
    assert len(sink.accepted) == 5

    Customer.objects.update(first_name="Later", city="Paris", language="fr", traits={"color": "red"})
    Item.objects.update(name="Renamed", price=Decimal(99))
    save_block("footer", texts={"": "<p>new</p>"}, actor="test")
    save_phrase_set("words", texts={"": "start:\n- other\n"}, actor="test")
    ContentSource.objects.all().delete()
    settings.LINK_KEY = settings.SITE_URL = "https://moved.example"

    sent = dict(sink.accepted)
    for row in Delivery.objects.filter(run=run).select_related("customer", "run"):
        found = rerender(row)
        # The sink takes the doubled dots away, as every server does.
        assert found.plain == sent[row.customer.email]
        assert found.sha256 == hashlib.sha256(found.data).hexdigest() and b"\r\n..\r\n" in found.data
    assert CopyPattern.objects.count() == run.deliveries.values("variant").distinct().count()
    assert all(len(copy.body) < 2_000 for copy in SentCopy.objects.all())
    # What every mail has around its template is in the pattern; what is somebody's is not.
    for text in CopyPattern.objects.values_list("text", flat=True):
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in bytes(text)
        assert not any(email.encode() in bytes(text) for email in sent)


def test_the_call_answers_the_bytes_and_after_an_erasure_that_they_are_gone(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, client: Any
) -> None:
    people = make_customers(2)
    make_customers(1, start=7, consent=False)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    _key, token = create_key(name="k", scopes=["customers:read"])
    rows = {row.customer.external_id: row for row in run.deliveries.select_related("customer")}

    def ask(row: Delivery) -> Any:
        url = f"/api/v1/deliveries/{row.pk}/message"
        return client.get(url, headers={"authorization": f"Bearer {token}"})

    answer = ask(rows["c0"]).json()
    data = base64.b64decode(answer["bytes"])
    assert data.replace(b"\r\n..", b"\r\n.") == dict(sink.accepted)["c0@example.com"]
    assert answer["sha256"] == hashlib.sha256(data).hexdigest() and answer["size"] == len(data)
    assert answer["content_type"] == "message/rfc822"
    assert ask(rows["c7"]).status_code == 404
    erase(people[0].pk)
    assert ask(rows["c0"]).status_code == 410 and ask(rows["c1"]).status_code == 200
    assert [copy.delivery_id for copy in SentCopy.objects.all()] == [rows["c1"].pk]


def test_the_page_shows_the_message_and_gives_it_as_a_file(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, client: Any
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    url = reverse("campaigns:sent", args=[run.deliveries.get().pk])
    client.force_login(User.objects.create_user("bob", password="x", is_staff=True))
    assert client.get(url).status_code == 403
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    page = client.get(url).content.decode()
    assert "Hi Name0" in page and "Hello Name0" in page and 'sandbox=""' in page
    assert client.get(f"{url}?file").content == sink.accepted[0][1]
    SentCopy.objects.update(digest=bytes(32))
    assert client.get(url).status_code == 410


def test_who_is_erased_while_the_message_is_on_its_way_leaves_no_copy(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    people = make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    sink.on_data = lambda recipient: erase(people[0].pk) and None
    send_all(run)
    assert not SentCopy.objects.exists()
    with pytest.raises(Gone):
        rerender(run.deliveries.get())


def test_the_journal_carries_the_copy_to_whoever_takes_over(tmp_path: Any) -> None:
    pages = Journal.open(tmp_path, 1)
    assert pages is not None
    pages.intent(7, 0, 1.0, b"\x00squeezed\n")
    pages.intent(8, 0, 1.0)
    pages.result(7, 0, 2.0, "sent", "250 ok")
    tries, _inputs = pages.read()
    pages.close()
    assert tries[7, 0].copy == b"\x00squeezed\n" and tries[7, 0].status == "sent" and tries[8, 0].copy == b""


@pytest.mark.parametrize("data", [b"x" * 50_000, b"", b".\r\n..\r\n", bytes(range(256)) * 9])
def test_any_bytes_survive_being_kept(
    sink: Any, make_customers: Any, make_campaign: Any, data: bytes
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    found = copies.pattern(run.pk, "m0", "x" * 40_000 + "é\n")
    packed = found.pack(data)
    text = CopyPattern.objects.get(pk=found.id).text
    assert packed[:32] == hashlib.sha256(data).digest()
    assert copies.unpack(packed[40:], text=text, digest=packed[:32]) == data
    with pytest.raises(copies.Damaged):
        copies.unpack(packed[40:], text=text, digest=bytes(32))
    with pytest.raises(NeverSent):
        rerender(run.deliveries.get())


def test_a_copy_of_before_that_was_squeezed_by_deflate_is_still_read() -> None:
    text, data = b"Dear reader, " * 3_000, b"Dear reader, Ann"
    squeeze = zlib.compressobj(3, zlib.DEFLATED, -15, 5, zlib.Z_DEFAULT_STRATEGY, text[-32_768:])
    body = squeeze.compress(data) + squeeze.flush()
    digest = hashlib.sha256(data).digest()
    assert copies.unpack(body, text=text, digest=digest) == data
    with pytest.raises(copies.Damaged):
        copies.unpack(b"\x06" + body, text=text, digest=digest)


@pytest.mark.parametrize("kept", [5, 20, -1])
def test_a_copy_that_was_cut_off_is_damaged(
    sink: Any, make_customers: Any, make_campaign: Any, kept: int
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    found = copies.pattern(run.pk, "m0", "Dear reader")
    packed = found.pack(bytes(range(256)) * 9)
    text = CopyPattern.objects.get(pk=found.id).text
    with pytest.raises(copies.Damaged):
        copies.unpack(packed[40:][:kept], text=text, digest=packed[:32])


def test_what_a_library_makes_a_request_of_is_kept_as_its_fields() -> None:
    assert copies.wire_bytes("text") == b"text"
    assert json.loads(copies.wire_bytes({"b": "é", "a": 1})) == {"a": 1, "b": "é"}


def test_staff_without_personal_data_get_no_bytes_and_every_look_at_them_is_noted(
    client: Any, make_customers: Any, make_campaign: Any, send_all: Any, sink: Any
) -> None:
    [customer] = make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    delivery = Delivery.objects.get(run=run)
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", "view_campaign"]))
    client.force_login(user)
    calls = (
        f"/api/v1/deliveries/{delivery.pk}/message",
        f"/api/v1/campaigns/{run.campaign_id}/why?customer={customer.external_id}",
    )
    assert [client.get(url).status_code for url in calls] == [403, 403]
    assert not PersonalRead.objects.exists()
    user.user_permissions.add(Permission.objects.get(codename="view_personal_data"))
    assert [client.get(url).status_code for url in calls] == [200, 200]
    assert list(PersonalRead.objects.order_by("pk").values_list("page", "customer_ids")) == [
        ("API: message", [customer.pk]),
        ("API: why", [customer.pk]),
    ]
