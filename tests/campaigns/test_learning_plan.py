"""What a campaign that learns goes by."""

import pytest

from campaigns.learning_plan import LearningPlan, metric_of
from experiments.models import Metric
from experiments.services import ensure_default_metrics


@pytest.mark.django_db
def test_clicks_are_learned_from_unless_another_metric_is_chosen() -> None:
    ensure_default_metrics()
    assert metric_of(LearningPlan()).key == "clicked"
    assert metric_of(LearningPlan(metric="revenue")) == Metric.objects.get(key="revenue")
