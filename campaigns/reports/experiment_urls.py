"""Reports of experiments by key, mounted at /app/experiments/."""

from django.urls import path

from campaigns.reports import experiment_page, group_form, plan_page, sharing_pages, study_pages
from campaigns.reports import export as report_export

app_name = "experiments"
urlpatterns = [
    path("long-run/<slug:key>/", study_pages.long_run, name="long-run"),
    path("long-run/<slug:key>/live", study_pages.long_run_live, name="long-run-live"),
    path("<slug:key>/targeting/", study_pages.targeting, name="targeting"),
    path("<slug:key>/targeting/live", study_pages.targeting_live, name="targeting-live"),
    path("<slug:key>/", experiment_page.report, name="report"),
    path("<slug:key>/data", experiment_page.data, name="report-data"),
    path("<slug:key>/refresh", group_form.refresh, name="refresh"),
    path("<slug:key>/refresh/cancel", group_form.cancel_refresh, name="cancel-refresh"),
    path("<slug:key>/plan", plan_page.change_experiment_plan, name="change-plan"),
    path("<slug:key>/groups", group_form.choose, name="groups"),
    path("<slug:key>/share", sharing_pages.share_experiment, name="share-report"),
    path("<slug:key>/report.csv", report_export.as_csv, name="report-csv"),
    path("<slug:key>/report.json", report_export.as_json, name="report-json"),
]
