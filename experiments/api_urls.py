from django.urls import path

from experiments import experiment_api
from experiments.definitions import api as metric_api
from experiments.long_runs.api import CancelLongRunView, LongRunView
from experiments.plans import api as plan_api
from experiments.reports.api import AnalysisView, CancelAnalysisView, GroupsView
from experiments.targeting.api import CancelTargetingView, TargetingView
from experiments.traffic import api as traffic_api

ONE = "experiments/<slug:key>"
urlpatterns = [
    path("experiments", experiment_api.ExperimentsView.as_view(), name="api-experiments"),
    path(ONE, experiment_api.ExperimentView.as_view(), name="api-experiment"),
    path(f"{ONE}/start", experiment_api.StartView.as_view(), name="api-experiment-start"),
    path(f"{ONE}/end", experiment_api.EndView.as_view(), name="api-experiment-end"),
    path(f"{ONE}/assignments", experiment_api.AssignmentsView.as_view(), name="api-experiment-assignments"),
    path(f"{ONE}/plan", plan_api.PlanView.as_view(), name="api-experiment-plan"),
    path(f"{ONE}/decision", plan_api.DecisionView.as_view(), name="api-experiment-decision"),
    path(f"{ONE}/analysis", AnalysisView.as_view(), name="api-experiment-analysis"),
    path(f"{ONE}/analysis/cancel", CancelAnalysisView.as_view(), name="api-experiment-cancel-analysis"),
    path(f"{ONE}/groups", GroupsView.as_view(), name="api-experiment-groups"),
    path(f"{ONE}/targeting", TargetingView.as_view(), name="api-experiment-targeting"),
    path(f"{ONE}/targeting/<int:pk>/cancel", CancelTargetingView.as_view()),
    path("metrics", metric_api.MetricsView.as_view(), name="api-metrics"),
    path("metrics/<slug:key>", metric_api.MetricView.as_view(), name="api-metric"),
    path("metrics/<slug:key>/archive", metric_api.ArchiveMetricView.as_view(), name="api-metric-archive"),
    path("layers", traffic_api.LayersView.as_view(), name="api-layers"),
    path("layers/<slug:key>", traffic_api.LayerView.as_view(), name="api-layer"),
    path("holdouts", traffic_api.HoldoutsView.as_view(), name="api-holdouts"),
    path("holdouts/<slug:key>", traffic_api.HoldoutView.as_view(), name="api-holdout"),
    path("holdouts/<slug:key>/redraw", traffic_api.RedrawView.as_view(), name="api-holdout-redraw"),
    path("holdouts/<slug:key>/end", traffic_api.EndHoldoutView.as_view(), name="api-holdout-end"),
    path("holdouts/<slug:key>/long-run", LongRunView.as_view(), name="api-holdout-long-run"),
    path("holdouts/<slug:key>/long-run/<int:pk>/cancel", CancelLongRunView.as_view()),
    path("client-keys", traffic_api.ClientKeysView.as_view(), name="api-client-keys"),
    path(
        "client-keys/<int:pk>/revoke", traffic_api.RevokeClientKeyView.as_view(), name="api-client-key-revoke"
    ),
]
