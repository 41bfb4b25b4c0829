from django.urls import path

from experiments.api import ReportView

urlpatterns = [
    path("experiments/<slug:key>/report", ReportView.as_view(), name="api-experiment-report"),
]
