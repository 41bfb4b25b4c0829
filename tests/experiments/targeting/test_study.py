from datetime import timedelta
from decimal import Decimal
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from experiments.errors import NotPossible
from experiments.models import Metric, TargetingStudy
from experiments.targeting.sentence import subgroups_sentence, targeting_sentence
from experiments.targeting.study import load_trial, save_rule_segment, study_targeting, write_scores
from experiments.uplift import Offer
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.segments.selectors import members


@pytest.fixture
def shop(make_experiment, place, start):
    """1,200 customers, half mailed; `spend(traits, mailed)` is what each spends after two days."""
    metric = Metric.objects.create(
        key="spend", name="Spend", kind="revenue", event="Order Completed", window_days=7
    )

    def make(spend, n=1200):
        rng = np.random.default_rng(4)
        rows = [
            {
                "plan": str(rng.choice(["gold", "free"])),
                "age": int(rng.integers(20, 70)),
                "pets": int(rng.integers(0, 6)),
            }
            for _ in range(n)
        ]
        customers = Customer.objects.bulk_create(
            Customer(external_id=f"c-{i}", traits=row, created_at=start) for i, row in enumerate(rows)
        )
        experiment = make_experiment()
        place(experiment, "control", customers[::2])
        place(experiment, "a", customers[1::2])
        record_events(
            [
                NewEvent(
                    customer_id=customer.pk, message_id=f"m{i}", name="Order Completed",
                    occurred_at=start + timedelta(days=2),
                    value=Decimal(f"{spend(rows[i], i % 2) + rng.normal():.2f}"), properties={},
                )
                for i, customer in enumerate(customers)
            ]
        )  # fmt: skip
        return experiment, metric, experiment.variants.get(key="a")

    return make


def gold_only(traits, mailed):
    return 10 + 3 * mailed * (traits["plan"] == "gold")


def by_two(traits, mailed):
    return 50 + mailed * (0.1 * (traits["age"] - 45) + 1.5 * (traits["pets"] - 2.5))


def test_a_rule_becomes_a_sentence_and_a_segment(shop, start):
    experiment, metric, variant = shop(gold_only)
    kept, _ = study_targeting(experiment, metric, variant, as_of=start + timedelta(days=30))
    assert kept.offer == Offer.RULE
    assert kept.document["rule"]["definition"] in (
        {"trait": "plan", "op": "is", "value": "gold"},
        {"trait": "plan", "op": "is_not", "value": "free"},
    )
    assert "A message brings +" in targeting_sentence(kept)
    assert "we cannot tell" in targeting_sentence(kept)
    assert subgroups_sentence(kept) == "The effect differs by: plan."
    version = save_rule_segment(kept, name="Gold", actor="test")
    found = members(version, now=start + timedelta(days=30))
    assert {customer.traits["plan"] for customer in found} == {"gold"}
    with pytest.raises(NotPossible):
        write_scores(_, trait="uplift_spend")


def test_with_a_cost_the_others_are_not_worth_a_message(shop, start):
    experiment, metric, variant = shop(gold_only)
    kept, _ = study_targeting(experiment, metric, variant, as_of=start + timedelta(days=30), cost=1.0)
    assert targeting_sentence(kept).startswith("Mail only these")


def test_a_model_writes_its_scores_as_a_trait(shop, start):
    experiment, metric, variant = shop(by_two)
    kept, found = study_targeting(experiment, metric, variant, as_of=start + timedelta(days=30))
    assert kept.offer == Offer.MODEL
    assert write_scores(found, trait="uplift_spend") == 1200
    traits = list(Customer.objects.values_list("traits", flat=True))
    scores = np.array([row["uplift_spend"] for row in traits])
    truth = np.array([by_two(row, 1) - 50 for row in traits])
    assert np.corrcoef(scores, truth)[0, 1] > 0.95
    # The next study does not learn from the last one's answer.
    again = load_trial(experiment, metric, variant, as_of=start + timedelta(days=30))
    assert again.table.names == ["age", "pets", "plan"]


def test_when_nobody_stands_out_the_sentence_says_so(shop, start):
    experiment, metric, variant = shop(lambda traits, mailed: 10 + mailed)
    kept, _ = study_targeting(experiment, metric, variant, as_of=start + timedelta(days=30))
    assert targeting_sentence(kept).startswith("Nobody stands out: mail everybody.")
    assert subgroups_sentence(kept).startswith("There is no evidence")
    with pytest.raises(NotPossible):
        save_rule_segment(kept, name="x", actor="test")


def test_only_customers_whose_window_closed_count(shop, start):
    experiment, metric, variant = shop(gold_only, n=40)
    with pytest.raises(NotPossible, match="window"):
        load_trial(experiment, metric, variant, as_of=start + timedelta(days=6))
    trial = load_trial(experiment, metric, variant, as_of=start + timedelta(days=7))
    assert len(trial) == 40
    assert trial.chance[0] == 0.5
    with pytest.raises(NotPossible, match="400 customers"):
        study_targeting(experiment, metric, variant, as_of=start + timedelta(days=7))


def test_the_command_prints_the_sentence_and_the_api_answers_it(shop):
    experiment, metric, _ = shop(gold_only)
    out = StringIO()
    call_command("uplift", experiment.key, metric.key, save_segment="Gold", stdout=out)
    assert "Saved as segment" in out.getvalue()
    _, token = create_key(name="reader", scopes=[Scope.CAMPAIGNS_READ])
    address = f"/api/v1/experiments/{experiment.key}/targeting"
    answer = Client().get(address, headers={"Authorization": f"Bearer {token}"}).json()
    assert len(answer) == 1
    assert answer[0]["sentence"] in out.getvalue()
    assert answer[0]["segment_definition"]["trait"] == "plan"
    assert Client().get(address).status_code == 401


def test_the_command_says_what_is_missing(db, make_experiment):
    with pytest.raises(CommandError, match="no such experiment"):
        call_command("uplift", "none", "spend")
    assert not TargetingStudy.objects.exists()


def test_chances_made_for_each_customer_are_refused(shop, start):
    experiment, metric, variant = shop(gold_only, n=40)
    experiment.assignments.filter(variant=variant).update(propensity=0.95)
    with pytest.raises(NotPossible, match="for each customer"):
        load_trial(experiment, metric, variant, as_of=start + timedelta(days=30))
