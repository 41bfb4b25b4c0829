"""Ten questions about Complete Journey, answered by page and API, against pandas on the files."""

import json
import os
from datetime import timedelta

import pandas as pd
import pytest
from django.test import RequestFactory

from personalization.access.models import Scope, User
from personalization.access.services import create_key
from personalization.demo.journey import Journey, load
from personalization.demo.journey_questions import questions, save_questions
from personalization.segments import api, views
from personalization.segments.describe import describe
from personalization.segments.models import Segment
from tests.demo.test_journey import FOLDER, _quiet, needs_data

NOW = pd.Timestamp("2018-01-02")
RICH = {"75-99K", "100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"}


def read(journey: Journey, name: str) -> pd.DataFrame:
    return pd.concat((batch.to_pandas() for batch in journey.batches(name)), ignore_index=True)


def answers(journey: Journey) -> list[int]:
    products = read(journey, "products").set_index("product_id")
    lines = read(journey, "transactions").join(products[["department", "product_category"]], on="product_id")
    lines["cents"] = (lines["sales_value"].astype(float) * 100).round().astype(int)
    at, people = lines["transaction_timestamp"], read(journey, "demographics").set_index("household_id")
    lines = lines[at < NOW]
    redeemed = read(journey, "coupon_redemptions")

    def last(days: int) -> pd.DataFrame:
        return lines[lines["transaction_timestamp"] >= NOW - timedelta(days=days)]

    def households(rows: pd.DataFrame) -> set[int]:
        return set(rows["household_id"])

    by = lines.groupby("household_id")
    groceries = last(90)[last(90)["department"] == "GROCERY"].groupby("household_id")["basket_id"].nunique()
    flowers = lines[lines["department"] == "FLORAL"]
    earlier = lines[lines["transaction_timestamp"] < NOW - timedelta(days=30)].groupby("household_id").size()
    start = pd.Timestamp("2017-10-30")
    inside = redeemed["redemption_date"].between(start, start + timedelta(days=7), inclusive="left")
    totals = last(365).groupby("household_id")["cents"].sum()
    everybody = households(read(journey, "transactions")) | set(people.index) | households(redeemed)
    place = totals.rank(method="min", ascending=False)
    baby = last(60)[last(60)["product_category"].isin(["BABY FOODS", "DIAPERS & DISPOSABLES"])]
    young = people[(people["kids_count"] == "1") & (people["age"] == "25-34")]
    recent, before = (
        rows.groupby("household_id").agg(cents=("cents", "sum"), baskets=("basket_id", "nunique"))
        for rows in (last(90), lines.drop(last(90).index))
    )
    both = recent.join(before.add_suffix("_before"), how="inner")
    both = both[(both["baskets"] >= 5) & (both["baskets_before"] >= 5)]
    growth = (both["cents"] / both["baskets"]) / (both["cents_before"] / both["baskets_before"])
    return [
        int((by["cents"].sum() > 500_000).sum()),
        int((groceries >= 20).sum()),
        len(households(flowers) - households(flowers[flowers.index.isin(last(180).index)])),
        int((by["transaction_timestamp"].min() >= pd.Timestamp("2017-07-01")).sum()),
        len(set(earlier[earlier >= 100].index) - households(last(30))),
        int((people["income"].isin(RICH) & (people["kids_count"] != "0")).sum()),
        redeemed[inside & (redeemed["campaign_id"] == 18)]["household_id"].nunique(),
        int(((place - 1) * 100 < 10 * len(everybody)).sum()),
        len(households(baby) | set(young.index)),
        int((growth >= 1.5).sum()),
    ]


def test_each_question_reads_as_a_sentence() -> None:
    assert len(questions()) == 10
    for question in questions():
        assert describe(question.definition).startswith("Customers where ")


@needs_data
@pytest.mark.slow
def test_page_and_api_answer_as_pandas_does(db) -> None:
    households = None if os.environ.get("BESPOKE_WHOLE") else 150
    journey = Journey(FOLDER, households=households)
    load(journey, say=_quiet)
    expected = answers(journey)
    assert sum(count > 0 for count in expected) >= 7
    assert save_questions(say=_quiet) == expected
    assert save_questions(say=_quiet) == expected and Segment.objects.count() == 10

    _, token = create_key(name="t", scopes=[Scope.SEGMENTS_READ])
    staff = User.objects.create_superuser("staff")
    for question, count in zip(questions(), expected, strict=True):
        body = json.dumps({"definition": question.definition})
        request = RequestFactory().post(
            "/", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
        )
        assert api.SegmentCount.as_view()(request).data["count"] == count, question.name
        request = RequestFactory().post("/", body, content_type="application/json")
        request.user = staff
        answer = json.loads(views.count(request).content)
        assert answer.get("count") == count, (question.name, answer)
