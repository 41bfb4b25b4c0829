"""One message with every tag, to all households of Complete Journey: no gap, and each comes back to the byte.

The data is not part of the repository: the test is skipped where it is absent.
"""

import os
import re
from email import message_from_bytes, policy
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from campaigns import services
from campaigns.coupons.services import add_codes, save_pool
from campaigns.models import Delivery, SkipReason
from campaigns.services import MessageDraft
from campaigns.why.rerender import rerender
from personalization.content.language import OWN_TAGS
from personalization.content.phrase_services import save_phrase_set
from personalization.content.services import save_block
from personalization.demo import journey_campaign as job
from personalization.demo.journey import HOUSEHOLDS, Journey, load
from personalization.segments.services import save_segment
from tests.campaigns.conftest import send_all as send_all
from tests.campaigns.conftest import sink as sink
from tests.campaigns.needs.test_connected_content import server as server
from tests.campaigns.needs.test_connected_content import source
from tests.demo.test_journey import FOLDER, needs_data

OLDEST = "65+"
BODY = """<mjml><mj-body><mj-section><mj-column><mj-text>
{% if customer.traits.age == "65+" %}{% skip_customer "not for this age" %}{% endif %}
<p>{% localized %}Hello{% language "zh" %}你好{% endlocalized %}
{% optional %}household of {{ customer.traits.household_size }}{% else %}household{% endoptional %}</p>
<p>{% generate "greeting" %}</p>
<p>{% vary "words" %}Have a look.{% or %}See for yourself.{% endvary %}</p>
{% last_orders count: 1 as orders %}
{% for order in orders %}<p>last={{ order.total }} of {{ order.items.size }}</p>{% endfor %}
{% recommend "for_you" count: 4, exclude: "bought", at_least: 4 as fresh %}
{% for item in fresh %}<p>fresh={% render "card", item: item %}</p>{% endfor %}
{% optional %}{% recommend "buy_again" count: 2 as again %}
{% for item in again %}<p>again={{ item.name }}</p>{% endfor %}{% endoptional %}
<p>sky={% connected_content "weather" city: customer.country as weather %}{{ weather.sky }}</p>
<p>code={% coupon "spring" as code %}{{ code }}</p>
{% capture words %}For you, {{ fresh[0].name }}{% endcapture %}
<p><img src="{{ words | picture: width: 600, height: 200 }}" width="600" height="200" alt="{{ words }}">
<img src="{{ "2030-12-24T18:00" | countdown }}" width="320" height="72" alt="Until Christmas"></p>
{% include "footer" %}{% block "opening" %}<p>on {{ now | date: "iso" }}</p>
</mj-text></mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture
def shop(server: Any, settings: Any, tmp_path: Any) -> Any:
    settings.MODEL_DIR = tmp_path
    save_block("card", texts={"": "{{ item.name }} / {{ item.reason }}"}, actor="test")
    save_block("opening", texts={"": "Open from 8 to 22."}, actor="test")
    save_block("footer", texts={"": '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'}, actor="test")
    save_phrase_set("greeting", texts={"": "start:\n- Good to see you.\n- Welcome back.\n"}, actor="test")
    codes = [f"S-{n}" for n in range(HOUSEHOLDS)]
    add_codes(save_pool("spring", low_at=0, actor="test"), codes, actor="test")
    source(server, "/ok")


def last_baskets() -> dict[str, tuple[str, int]]:
    """What each household paid for its newest basket, and for how many lines of it, from the file itself."""
    names = ["household_id", "transaction_timestamp", "sales_value", "product_id"]
    rows = pq.read_table(FOLDER / "completejourney-transactions.parquet", columns=names).to_pandas()
    newest = rows.groupby("household_id")["transaction_timestamp"].transform("max")
    last = rows[rows["transaction_timestamp"] == newest]
    cents = (last["sales_value"] * 100).round().astype(int).groupby(last["household_id"]).agg(["sum", "size"])
    return {str(n): (f"{total / 100:.2f}", int(size)) for n, total, size in cents.itertuples()}


@needs_data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BESPOKE_WHOLE"), reason="minutes; BESPOKE_WHOLE=1 asks for it")
@pytest.mark.django_db(transaction=True)
def test_every_tag_is_filled_for_every_household_and_each_message_comes_back(
    sink: Any,
    shop: Any,
    send_all: Any,
) -> None:
    missing = {tag.name for tag in OWN_TAGS if not re.search(rf"{{%-? *{tag.name}\b", BODY)}
    assert missing == {"guard_url", "guard_style"}, "written by us around values, not by marketers"
    load(Journey(FOLDER), say=lambda _text: None)
    job.train_model(say=lambda _text: None)
    everybody = save_segment(
        None, name="Everybody", actor="test", definition={"trait": "external_id", "op": "exists"}
    )
    draft = MessageDraft(key="a", subject="For your next basket", body=BODY, missing="skip")
    campaign = services.save_campaign(
        None, name="Everything", segment=everybody.segment, sender_name="Shop", actor="test",
        sender_address="shop@shop.example", control_share=0, messages=[draft],
    )  # fmt: skip
    run = services.launch(campaign, actor="test")
    send_all(run)

    ages = pq.read_table(FOLDER / "completejourney-demographics.parquet", columns=["age"])["age"]
    oldest = pc.sum(pc.equal(ages, OLDEST)).as_py()
    skipped = dict(Delivery.objects.filter(run=run).exclude(status="sent").values_list("pk", "reason"))
    assert len(skipped) == oldest == 72
    assert set(skipped.values()) == {SkipReason.LEFT_OUT}
    assert len(sink.accepted) == HOUSEHOLDS - oldest

    baskets, codes = last_baskets(), set()
    for address, data in sink.accepted:
        text = message_from_bytes(data, policy=policy.default).get_body(("plain",)).get_content()
        household = address.removeprefix("household-").removesuffix("@example.com")
        paid, lines = re.search(r"last=([\d.]+) of (\d+)", text).groups()
        assert (paid, int(lines)) == baskets[household]
        assert len(re.findall(r"fresh=\S.* / \S", text)) == 4
        codes.add(re.search(r"code=(S-\d+)", text)[1])
    assert len(codes) == len(sink.accepted)

    sent = dict(sink.accepted)
    for row in Delivery.objects.filter(run=run, status="sent").select_related("customer", "run"):
        assert rerender(row).plain == sent[row.customer.email]
