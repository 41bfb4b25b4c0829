"""Who is selected: by hand, in the corners where SQL likes to surprise."""

from datetime import UTC, datetime, timedelta

import pytest

from personalization.customers.models import Customer
from personalization.segments.compiler import compile_definition
from personalization.segments.definition import DefinitionError

NOW = datetime(2018, 1, 2, tzinfo=UTC)


def bought(test, value, **more):
    return {"event": "Order", "is": test, "value": value, **more}


def test_without_conditions_everyone_is_in(world, who) -> None:
    world.customer("a"), world.customer("b")
    assert who({"all": []}) == {"a", "b"}
    assert who({"not": {"all": [{"all": [{"trait": "x", "op": "exists"}]}]}}) == {"a", "b"}


def test_missing_traits_match_nothing_and_their_negation_matches(world, who) -> None:
    (
        world.customer("has", traits={"age": 30}),
        world.customer("lacks"),
        world.customer("null", traits={"age": None}),
    )
    assert who({"trait": "age", "op": "is", "value": 30}) == {"has"}
    assert who({"trait": "age", "op": "is_not", "value": 30}) == {"lacks", "null"}
    assert who({"not": {"trait": "age", "op": "at_least", "value": 10}}) == {"lacks", "null"}
    assert who({"trait": "age", "op": "missing"}) == {"lacks", "null"}


def test_numbers_in_text_count_as_numbers_and_rubbish_never_raises(world, who) -> None:
    for key, value in {
        "n": 18,
        "s": "18",
        "f": 18.0,
        "word": "many",
        "list": [18],
        "big": "9" * 40,
        "yes": True,
    }.items():
        world.customer(key, traits={"age": value})
    assert who({"trait": "age", "op": "is", "value": "18"}) == {"n", "s", "f"}
    assert who({"trait": "age", "op": "at_least", "value": 18}) == {"n", "s", "f"}
    assert who({"trait": "age", "op": "is", "value": "true"}) == {"yes"}
    assert who({"trait": "age", "op": "in", "value": ["18", "many", "x", "y", "z"]}) == {
        "n",
        "s",
        "f",
        "word",
    }
    assert who({"trait": "age", "op": "before", "value": "2020-01-01"}) == set()


def test_times_in_traits_are_read_in_iso_and_rubbish_never_raises(world, who) -> None:
    for key, value in {
        "day": "2017-12-30", "zulu": "2017-12-30T10:00:00.123Z", "offset": "2018-01-01T00:30:00+02:00",
        "bad": "2017-02-30", "word": "soon", "zero": "0000-00-00", "number": 5, "old": "2001-01-01",
    }.items():  # fmt: skip
        world.customer(key, traits={"seen": value})
    assert who({"trait": "seen", "op": "within_days", "value": 7}) == {"day", "zulu", "offset"}
    assert who({"trait": "seen", "op": "before", "value": "2018-01-01"}) == {"day", "zulu", "offset", "old"}
    assert who({"trait": "seen", "op": "more_than_days_ago", "value": 365}) == {"old"}


def test_29_february_is_kept_on_the_28th_in_other_years(world, who) -> None:
    (
        world.customer("leap", traits={"birthday": "2000-02-29"}),
        world.customer("may", traits={"birthday": "1990-05-01"}),
    )
    soon = {"trait": "birthday", "op": "anniversary_in_days", "value": 1}
    assert who(soon, now=datetime(2018, 2, 28, 9, tzinfo=UTC)) == {"leap"}
    assert who(soon, now=datetime(2020, 2, 28, 9, tzinfo=UTC)) == set()
    assert who(soon, now=datetime(2020, 2, 29, 9, tzinfo=UTC)) == {"leap"}


def test_addresses_are_compared_without_case(world, who) -> None:
    world.customer("a", email="Ann@Shop.example")
    assert who({"trait": "email", "op": "is", "value": "ann@shop.EXAMPLE"}) == {"a"}
    assert who({"trait": "email", "op": "ends_with", "value": "@SHOP.example"}) == {"a"}


def test_signs_of_patterns_are_only_letters(world, who) -> None:
    world.customer("plain", city="Bath"), world.customer("sign", city="100%_Bath")
    assert who({"trait": "city", "op": "contains", "value": "%_"}) == {"sign"}
    assert who({"trait": "city", "op": "starts_with", "value": "%"}) == set()


@pytest.mark.parametrize(
    "evil", ["'; DROP TABLE customers_customer; --", "') OR 1=1 --", '"} {0} %s %(a)s', "{x}", "\\"]
)
def test_values_and_names_never_become_sql(world, who, evil) -> None:
    world.customer("victim", traits={evil: "v"})
    for definition in (
        {"trait": "city", "op": "is", "value": evil},
        {"trait": "t", "op": "contains", "value": evil},
        {"event": evil, "is": "at_least", "value": 1},
        {"event": "A", "op": "distinct", "of": {"property": evil}, "is": "at_least", "value": 1},
        {"event": "A", "is": "at_least", "value": 1, "where": [{"property": evil, "op": "is", "value": evil},
                                                               {"item": evil, "op": "in", "value": [evil]}]},
        {"consent": "email", "topic": evil},
    ):  # fmt: skip
        assert who(definition) == set()
    assert who({"trait": evil, "op": "is", "value": "v"}) == {"victim"}
    assert who({"trait": evil, "op": "exists"}) == {"victim"}


def test_the_window_starts_with_its_first_moment_and_ends_before_now(world, who) -> None:
    for key, at in {
        "start": NOW - timedelta(days=30), "early": NOW - timedelta(days=30, microseconds=1),
        "now": NOW, "last": NOW - timedelta(microseconds=1), "future": NOW + timedelta(days=1),
    }.items():  # fmt: skip
        world.event(world.customer(key), at=at)
    assert who(bought("at_least", 1, window={"last_days": 30})) == {"start", "last"}
    assert who(bought("at_least", 1, window={"before_days": 30})) == {"early"}
    assert who(bought("at_least", 1)) == {"start", "early", "last"}
    assert who(bought("at_least", 1, window={"from": "2018-01-02", "to": "2019-01-01"})) == set()


def test_customers_without_any_event_count_as_zero(world, who) -> None:
    world.customer("none")
    one, two = world.customer("one"), world.customer("two")
    world.event(one, value=10), world.event(two, value=5), world.event(two, value=None)
    assert who(bought("at_most", 1)) == {"none", "one"}
    assert who(bought("is", 0)) == {"none"}
    assert who(bought("is_not", 1)) == {"none", "two"}
    assert who(bought("less_than", 7, op="sum")) == {"none", "two"}
    assert who(bought("at_most", 100, op="average")) == {"one", "two"}
    assert who({"event": "Order", "op": "last", "is": "before", "value": "2019-01-01"}) == {"one", "two"}


def test_filters_look_at_the_event_and_its_item(world, who) -> None:
    tea = world.item("tea", categories=["Drinks", "Tea"], brand="Hill", price=4, attributes={"organic": True})
    cup = world.item("cup", categories=["Kitchen"], brand="Clay", price=9)
    a, b, c = world.customer("a"), world.customer("b"), world.customer("c")
    world.event(a, item=tea, value=8, coupon="X1"), world.event(b, item=cup, value=9), world.event(c, value=1)

    def where(**part):
        return who(bought("at_least", 1, where=[part]))

    assert where(item="category", op="is", value="Tea") == {"a"}
    assert where(item="category", op="not_in", value=["Tea"]) == {"b", "c"}
    assert where(item="brand", op="contains", value="cla") == {"b"}
    assert where(item="price", op="less_than", value=5) == {"a"}
    assert where(item="id", op="in", value=["tea", "cup"]) == {"a", "b"}
    assert where(item="organic", op="is", value=True) == {"a"}
    assert where(property="coupon", op="missing") == {"b", "c"}
    assert where(field="value", op="between", value=[8, 9]) == {"a", "b"}


def test_top_percent_keeps_ties_and_counts_all_customers(world, who) -> None:
    spent = {"a": 50, "b": 40, "c": 40, "d": 10}
    for key, value in spent.items():
        world.event(world.customer(key), value=value)
    for key in "efghij":
        world.customer(key)
    assert who(bought("top_percent", 10, op="sum")) == {"a"}
    assert who(bought("top_percent", 20, op="sum")) == {"a", "b", "c"}
    assert who(bought("top_percent", 100, op="sum")) == set(spent)
    assert who({"not": bought("top_percent", 20, op="sum")}) == set("defghij")


def test_a_ratio_needs_both_sides(world, who) -> None:
    more, less, new = world.customer("more"), world.customer("less"), world.customer("new")
    for customer, then, lately in ((more, 10, 30), (less, 10, 5), (new, None, 9)):
        if then:
            world.event(customer, at=NOW - timedelta(days=100), value=then, basket=1)
        world.event(customer, value=lately / 2, basket=2), world.event(customer, value=lately / 2, basket=2)
    per = {"event": "Order", "op": "average", "per": {"property": "basket"}}
    ratio = [{**per, "window": {"last_days": 90}}, {**per, "window": {"before_days": 90}}]
    assert who({"ratio": ratio, "is": "at_least", "value": 3}) == {"more"}
    assert who({"not": {"ratio": ratio, "is": "at_least", "value": 3}}) == {"less", "new"}


def test_consent_is_the_current_one_of_the_topic(world, who) -> None:
    from personalization.customers.models import Consent

    for key, granted, current in (("yes", True, True), ("no", False, True), ("former", True, False)):
        Consent.objects.create(
            customer=world.customer(key), channel="email", topic="news", granted=granted, is_current=current,
            source="form", recorded_at=NOW,
        )  # fmt: skip
    assert who({"consent": "email", "topic": "news"}) == {"yes"}
    assert who({"consent": "email", "topic": "news", "granted": False}) == {"no", "former"}
    assert who({"consent": "email", "topic": "other"}) == set()


def test_segments_of_segments_are_followed_and_circles_refused(world, who) -> None:
    from personalization.segments.errors import InvalidDefinition
    from personalization.segments.services import save_segment

    world.customer("gb", country="GB"), world.customer("cn", country="CN")
    british = save_segment(
        None, name="British", definition={"trait": "country", "op": "is", "value": "GB"}
    ).segment
    other = save_segment(None, name="Other", definition={"not": {"segment": british.pk}}).segment
    assert who({"segment": other.pk}) == {"cn"}
    with pytest.raises(InvalidDefinition):
        save_segment(british, name="British", definition={"segment": other.pk})
    with pytest.raises(DefinitionError):
        compile_definition({"segment": 999_999}, now=NOW)


def test_a_channel_that_we_do_not_have_is_refused(who) -> None:
    with pytest.raises(DefinitionError, match="Give one of"):
        who({"consent": "pigeon"})


A, B = {"event": "A"}, {"event": "B"}


def day(number: float) -> datetime:
    return datetime(2017, 12, 1, tzinfo=UTC) + timedelta(days=number)


def test_x_then_y_within_days_needs_the_order_and_the_distance(world, who) -> None:
    for key, steps in {
        "in time": [("A", 0), ("B", 7)],
        "late": [("A", 0), ("B", 7.01)],
        "backwards": [("B", 0), ("A", 1)],
        "at once": [("A", 1), ("B", 1)],
        "second try": [("A", 0), ("A", 9), ("B", 10)],
    }.items():
        customer = world.customer(key)
        for name, at in steps:
            world.event(customer, name, at=day(at))
    both = {"sequence": [A, B], "within_days": 7}
    assert who(both) == {"in time", "second try"}
    assert who({"not": both}) == {"late", "backwards", "at once"}
    assert who({**both, "window": {"from": "2017-12-05"}}) == {"second try"}
    assert who({**both, "followed": False}) == {"late", "backwards", "at once", "second try"}


def test_what_may_still_be_followed_is_not_yet_given_up(world, who) -> None:
    for key, days in {"abandoned": 2, "may still buy": 0.5}.items():
        world.event(world.customer(key), "A", at=NOW - timedelta(days=days))
    assert who({"sequence": [A, B], "within_days": 1, "followed": False}) == {"abandoned"}


def test_three_steps_with_a_filter_on_one(world, who) -> None:
    for key, coupon in {"a": "X", "b": "Y"}.items():
        customer = world.customer(key)
        world.event(customer, "A", at=day(0)), world.event(customer, "B", at=day(1), coupon=coupon)
        world.event(customer, "C", at=day(2))
    steps = [A, {**B, "where": [{"property": "coupon", "op": "is", "value": "X"}]}, {"event": "C"}]
    assert who({"sequence": steps, "within_days": 1}) == {"a"}


def test_a_window_may_be_so_many_days_from_a_date(world, who) -> None:
    for key, days in {"before": -0.01, "first": 0, "last": 6.99, "after": 7}.items():
        world.event(world.customer(key), "A", at=day(days))
    window = {"from": "2017-12-01", "days": 7}
    assert who({**A, "is": "at_least", "value": 1, "window": window}) == {"first", "last"}


def test_an_anniversary_is_on_the_day_of_the_place_where_one_lives(world, who) -> None:
    for key, zone in {"here": "", "ahead": "Pacific/Kiritimati", "behind": "America/New_York"}.items():
        world.customer(key, time_zone=zone, traits={"birthday": "1990-03-01"})
    today = {"trait": "birthday", "op": "anniversary_in_days", "value": 1}
    assert who(today, datetime(2018, 2, 28, 11, tzinfo=UTC)) == {"ahead"}
    assert who(today, datetime(2018, 3, 1, 3, tzinfo=UTC)) == {"here", "ahead"}
    assert who(today, datetime(2018, 3, 2, 3, tzinfo=UTC)) == {"behind"}


def test_the_empty_profiles_that_merges_leave_behind_are_nobody(world, who) -> None:
    survivor = world.customer("a")
    shell = Customer.objects.create(created_at=NOW, merged_into=survivor)
    assert shell.pk and who({"all": []}) == {"a"}
    assert who({"not": {"event": "A", "is": "at_least", "value": 1}}) == {"a"}
    assert who({"trait": "created_at", "op": "exists"}) == {"a"}
