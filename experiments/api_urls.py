from django.urls import path

from experiments.api import AnalysisView, GroupsView
from experiments.experiment_api import (
    AssignmentsView,
    EndView,
    ExperimentsView,
    ExperimentView,
    StartView,
)
from experiments.targeting_api import TargetingView

urlpatterns = [
    path("experiments", ExperimentsView.as_view(), name="api-experiments"),
    path("experiments/<slug:key>", ExperimentView.as_view(), name="api-experiment"),
    path("experiments/<slug:key>/start", StartView.as_view(), name="api-experiment-start"),
    path("experiments/<slug:key>/end", EndView.as_view(), name="api-experiment-end"),
    path("experiments/<slug:key>/assignments", AssignmentsView.as_view(), name="api-experiment-assignments"),
    path("experiments/<slug:key>/analysis", AnalysisView.as_view(), name="api-experiment-analysis"),
    path("experiments/<slug:key>/groups", GroupsView.as_view(), name="api-experiment-groups"),
    path("experiments/<slug:key>/targeting", TargetingView.as_view(), name="api-experiment-targeting"),
]
