"""What becomes of a message that has nothing to say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns import services
from campaigns.models import Run
from campaigns.why.answers import explain
from personalization.catalog.models import Item
from personalization.events.services import NewEvent, record_events
from tests.campaigns.conftest import BODY

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "{% for item in items %}{{ item.name }}{% endfor %}"
TAG = '{% recommend "popular" as hits %}{% for item in hits %}{{ item.name }}{% endfor %}'


@pytest.fixture
def send_with(make_customers: Any, make_campaign: Any, send_all: Any) -> Any:
    """Launches with one item in the catalog, lets something happen, and sends."""

    def run(text: str, happen: Any = lambda: Item.objects.update(is_hidden=True)) -> Run:
        Item.objects.create(external_id="shoe", name="Shoe")
        launched = services.launch(
            make_campaign(bodies=(BODY.replace("Hello", f"{text} Hello"),)), actor="test"
        )
        happen()
        send_all(launched)
        return launched

    make_customers(2)
    return run


@pytest.mark.parametrize("text", [LIST, TAG])
def test_a_message_about_items_is_not_sent_when_the_catalog_was_emptied_after_the_launch(
    sink, send_with, text
) -> None:
    run = send_with(text)
    told = set(run.deliveries.values_list("status", "reason", "detail"))
    assert told == {("skipped", "no_content", "it shows items, and there was none to show")}
    assert not sink.accepted


@pytest.mark.parametrize(
    "text",
    [
        "{% if items %}" + LIST + "{% endif %}",
        '{% recommend "popular" as hits %}{% if hits %}{{ hits.first.name }}{% endif %}',
        '{% if customer.first_name == "nobody" %}' + TAG + "{% endif %}",
    ],
)
def test_a_message_written_for_having_none_goes_out(sink, send_with, text) -> None:
    send_with(text)
    assert len(sink.accepted) == 2


def test_a_message_goes_out_as_long_as_one_of_its_lists_has_something(sink, send_with) -> None:
    send_with('{% recommend "buy_again" as again %}{% for item in again %}{{ item.name }}{% endfor %}' + TAG,
              lambda: None)  # fmt: skip
    assert len(sink.accepted) == 2


def test_who_has_bought_all_that_fits_gets_nothing_and_is_told_why(sink, send_with, make_customers) -> None:
    bought = make_customers(1, start=5)[0]
    at = datetime.now(UTC) - timedelta(days=1)

    def buy() -> None:
        item = Item.objects.get()
        line = {"order_id": "o1", "quantity": 1}
        record_events([NewEvent(bought.pk, "o1", "Order Line", at, item_id=item.pk, properties=line)])

    run = send_with(LIST, buy)
    delivery = run.deliveries.get(status="skipped")
    assert delivery.customer == bought and len(sink.accepted) == 2
    said = {one.step: one.sentence for one in explain(run, bought, delivery)}
    assert said["content"] == "it shows items, and there was none to show"
