"""Staff pages, mounted at /app/campaigns/."""

from django.urls import path

from campaigns.editor import dates_page, languages, list_page, pages, preview
from campaigns.home import page as home
from campaigns.proofs import pages as proof_pages
from campaigns.rehearsing import pages as rehearsal_pages
from campaigns.reports import page as report_page
from campaigns.reports import plan_page, sharing_pages
from campaigns.senders import account_pages
from campaigns.why import sent as sent_views
from campaigns.why import views as why_views
from campaigns.workflow import pages as workflow_pages

app_name = "campaigns"
urlpatterns = [
    path("", list_page.campaign_list, name="list"),
    path("new/", pages.editor, name="new"),
    path("new/save", pages.save, name="create"),
    path("live", home.live, name="live"),
    path("calendar/", workflow_pages.calendar, name="calendar"),
    path("preview", preview.preview, name="preview"),
    path("preview/languages", languages.languages, name="languages"),
    path("preview/customers", preview.customers, name="preview-customers"),
    path("preview/send", preview.send_test, name="send-test"),
    path("rules/choices", preview.rule_choices, name="rule-choices"),
    path("size", preview.size, name="size"),
    path("outlook", plan_page.outlook, name="outlook"),
    path("dates", dates_page.dates, name="dates"),
    path("senders/", account_pages.account_list, name="accounts"),
    path("senders/domain", account_pages.domain, name="domain"),
    path("senders/new", account_pages.account, name="account-new"),
    path("senders/<int:pk>", account_pages.account, name="account"),
    path("senders/<int:pk>/delete", account_pages.delete, name="account-delete"),
    path("<int:campaign_id>/", pages.editor, name="edit"),
    path("<int:campaign_id>/save", pages.save, name="save"),
    path("<int:campaign_id>/checks", pages.checks, name="checks"),
    path("<int:campaign_id>/duplicate", workflow_pages.duplicate, name="duplicate"),
    path("<int:campaign_id>/archive", workflow_pages.archive, name="archive"),
    path("<int:campaign_id>/restore", workflow_pages.restore, name="restore"),
    path("<int:campaign_id>/approval/<slug:action>", workflow_pages.approve, name="approval"),
    path("<int:campaign_id>/launch", pages.launch, name="launch"),
    path("<int:campaign_id>/schedule", pages.schedule, name="schedule"),
    path("<int:campaign_id>/unschedule", pages.unschedule, name="unschedule"),
    path("<int:campaign_id>/rehearsal/", rehearsal_pages.campaign_rehearsal, name="rehearsal"),
    path("<int:campaign_id>/rehearsal/live", rehearsal_pages.campaign_live, name="rehearsal-live"),
    path("<int:campaign_id>/proofs/", proof_pages.proofs, name="proofs"),
    path("<int:campaign_id>/proofs/compare/", proof_pages.compare, name="compare"),
    path("<int:campaign_id>/report/", report_page.report, name="report"),
    path("<int:campaign_id>/report/data", report_page.data, name="report-data"),
    path("<int:campaign_id>/report/audience.csv", report_page.audience_csv, name="audience-csv"),
    path("<int:campaign_id>/runs/<int:number>/share", sharing_pages.share_run, name="share-report"),
    path("report-links/<int:link_id>/take-back", sharing_pages.take_back, name="unshare-report"),
    path("deliveries/<int:delivery_id>/", sent_views.sent, name="sent"),
    path("<int:campaign_id>/runs/<int:number>/why/", why_views.why, name="why"),
    path("<int:campaign_id>/runs/<int:number>/winner", plan_page.choose_winner, name="choose-winner"),
    path("<int:campaign_id>/runs/<int:number>/plan", plan_page.change_plan, name="change-plan"),
    path("<int:campaign_id>/runs/<int:number>/rate", report_page.change_rate, name="change-rate"),
    path("<int:campaign_id>/runs/<int:number>/<slug:action>", report_page.steer, name="steer"),
]
