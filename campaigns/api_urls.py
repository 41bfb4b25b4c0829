from django.urls import path

from campaigns import api
from campaigns.limits.api import LimitsView
from campaigns.report_api import ReportView

urlpatterns = [
    path("campaigns", api.CampaignsView.as_view()),
    path("campaigns/<int:pk>", api.CampaignView.as_view()),
    path("campaigns/<int:pk>/launch", api.LaunchView.as_view()),
    *(
        path(f"campaigns/<int:pk>/{action}", api.SteerView.as_view(action=action))
        for action in ("pause", "resume", "cancel", "retry")
    ),
    path("campaigns/<int:pk>/outlook", api.OutlookView.as_view()),
    path("campaigns/<int:pk>/decision", api.DecisionView.as_view()),
    path("campaigns/<int:pk>/plan", api.PlanView.as_view()),
    path("campaigns/<int:pk>/progress", api.ProgressView.as_view()),
    path("campaigns/<int:pk>/deliveries", api.DeliveriesView.as_view()),
    path("limits", LimitsView.as_view()),
    path("experiments/<slug:key>/report", ReportView.as_view(), name="api-experiment-report"),
]
