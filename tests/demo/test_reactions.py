from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import numpy as np
import pytest

from personalization.demo import truth
from personalization.demo.reactions import HORIZON_SECONDS, Received, item_names, plan_base, plan_letters
from personalization.demo.reading import own_address, read_letter
from personalization.demo.shoppers import Memory

SITE = "http://shop.example"
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _raw(recipient="a@example.com", *, names=("Spring Oolong",), subject="Hello"):
    message = EmailMessage()
    message["To"], message["Subject"] = f"Someone <{recipient}>", subject
    message["List-Unsubscribe"] = f"<mailto:x@example.com>, <{SITE}/t/u/one>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    links = "".join(f'<p><a href="{SITE}/t/c/{i}">{name}</a></p>' for i, name in enumerate(names))
    message.set_content("plain")
    message.add_alternative(f'<p>Hi</p>{links}<img src="{SITE}/t/o/pixel.gif">', subtype="html")
    return message.as_string()


def test_a_letter_is_read_as_its_recipient_sees_it():
    letter = read_letter(_raw("Ann@Example.com"))

    assert letter.recipient == "ann@example.com"
    assert letter.pixel == f"{SITE}/t/o/pixel.gif"
    assert letter.links == (("Spring Oolong", f"{SITE}/t/c/0"),)
    assert letter.unsubscribe == f"{SITE}/t/u/one"
    assert letter.language == "en"


def test_only_addresses_of_this_installation_are_visited():
    assert own_address(f"{SITE}/t/o/x.gif", site_url=SITE)
    assert not own_address("http://elsewhere.example/t/o/x.gif", site_url=SITE)
    assert not own_address("file:///etc/passwd", site_url=SITE)
    assert not own_address("http://shop.example.evil.example/", site_url=SITE)


@pytest.fixture(scope="module")
def letters(world):
    """Everyone's own best items, in run 1."""
    names = {row: name for name, row in item_names(world).items() if name.isascii() and " " in name}
    best = truth.best_items(world, k=4)
    return [
        Received(read_letter(_raw(names=[names[item] for item in best[i]])), 1, i, AT)
        for i in range(len(world.customers))
    ]


def test_what_customers_do_is_as_often_as_the_truth_says(world, letters):
    actions = plan_letters(world, letters)
    n = len(world.customers)
    messages = truth.Messages(
        truth.best_items(world, k=4), np.zeros(n, dtype=bool),
        np.array([language == "en" for language in world.customers.language]),
    )  # fmt: skip
    known = truth.with_message(world, messages)

    for kind, chance in (("open", known.open), ("click", known.click), ("order", known.extra)):
        done = sum(action.kind == kind for action in actions)
        spread = np.sqrt((chance * (1 - chance)).sum())
        assert abs(done - chance.sum()) < 4 * spread + 10, kind


def test_nobody_clicks_before_opening_or_buys_before_clicking(world, letters):
    when = {(a.customer, a.kind): a.due_at for a in plan_letters(world, letters)}

    for (customer, kind), at in when.items():
        assert at >= AT
        if kind == "click":
            assert when[customer, "open"] < at
        if kind == "order":
            assert when[customer, "click"] < at


def test_the_same_run_is_answered_the_same_way_and_another_run_differently(world, letters):
    others = [replace(letter, run=2) for letter in letters]
    first, again, other = (plan_letters(world, mail) for mail in (letters, letters, others))

    assert first == again
    assert {a.customer for a in first} != {a.customer for a in other}


def test_the_order_of_arrival_changes_nothing(world, letters):
    whole = plan_letters(world, letters)
    parts = plan_letters(world, letters[700:]) + plan_letters(world, letters[:700])

    assert sorted(whole, key=repr) == sorted(parts, key=repr)


def test_everyone_in_the_audience_buys_at_a_rate_of_their_own(world):
    audience = range(0, len(world.customers), 2)
    orders = plan_base(world, run=3, audience=audience, launched_at=AT)
    chance = truth.base_chance(world)[list(audience)]

    assert {order.customer for order in orders} <= set(audience)
    assert abs(len(orders) - chance.sum()) < 4 * np.sqrt((chance * (1 - chance)).sum())
    assert all(AT <= order.due_at <= AT + timedelta(seconds=HORIZON_SECONDS) for order in orders)
    assert all(order.items for order in orders)


def test_a_letter_without_items_leads_where_its_first_link_leads(world):
    letter = read_letter(_raw(names=["Look around"]))
    letters = [Received(letter, 1, i, AT) for i in range(len(world.customers))]
    clicks = [action for action in plan_letters(world, letters) if action.kind == "click"]

    assert clicks
    assert all(action.url == f"{SITE}/t/c/0" and not action.items for action in clicks)


def test_memory_survives_a_restart(tmp_path):
    path = tmp_path / "react.state"
    Memory(path, now=AT).keep(AT + timedelta(seconds=5))

    assert Memory(path, now=AT + timedelta(hours=1)).done_until == AT + timedelta(seconds=5)


def test_a_damaged_memory_begins_now(tmp_path):
    path = tmp_path / "react.state"
    path.write_text("nonsense")

    assert Memory(path, now=AT).done_until == AT
