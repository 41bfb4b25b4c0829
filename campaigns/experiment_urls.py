"""Reports of experiments by key, mounted at /app/experiments/."""

from django.urls import path

from campaigns import experiment_page

app_name = "experiments"
urlpatterns = [
    path("<slug:key>/", experiment_page.report, name="report"),
    path("<slug:key>/data", experiment_page.data, name="report-data"),
]
