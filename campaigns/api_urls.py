from django.urls import include, path

from campaigns import api
from campaigns.editor.trial_api import TestSendView
from campaigns.limits.api import LimitsView
from campaigns.proofs.api import AddressesView, DiffView, ProofsView
from campaigns.push_api import PushKeyView, PushSubscriptionsView
from campaigns.rehearsing.api import CampaignRehearsalsView, CancelRehearsalView, RehearsalView
from campaigns.reports.api import ReportView
from campaigns.reports.attribution_api import AttributionView, DomainView
from campaigns.reports.sharing_api import ExperimentLinksView, ReportLinksView, ReportLinkView
from campaigns.senders.account_api import AccountsView, AccountView
from campaigns.triggering.api import TriggerView
from campaigns.why.sent import SentView
from campaigns.why.views import WhyView
from campaigns.workflow.api import ApprovalView, DuplicateView, ShelfView

urlpatterns = [
    path("campaigns", api.CampaignsView.as_view()),
    path("campaigns/<int:pk>", api.CampaignView.as_view()),
    path("campaigns/<int:pk>/launch", api.LaunchView.as_view()),
    *(
        path(f"campaigns/<int:pk>/{action}", api.SteerView.as_view(action=action))
        for action in ("pause", "resume", "cancel", "retry", "close")
    ),
    path("campaigns/<int:pk>/rate", api.RateView.as_view()),
    path("campaigns/<int:pk>/duplicate", DuplicateView.as_view()),
    path("campaigns/<int:pk>/archive", ShelfView.as_view(action="archive")),
    path("campaigns/<int:pk>/restore", ShelfView.as_view(action="restore")),
    path("campaigns/<int:pk>/report-links", ReportLinksView.as_view()),
    path("report-links/<int:pk>", ReportLinkView.as_view()),
    path("campaigns/<int:pk>/approval", ApprovalView.as_view()),
    path("campaigns/<int:pk>/outlook", api.OutlookView.as_view()),
    path("campaigns/<int:pk>/decision", api.DecisionView.as_view()),
    path("campaigns/<int:pk>/plan", api.PlanView.as_view()),
    path("campaigns/<int:pk>/progress", api.ProgressView.as_view()),
    path("campaigns/<int:pk>/deliveries", api.DeliveriesView.as_view()),
    path("sender-accounts", AccountsView.as_view()),
    path("sender-accounts/<int:pk>", AccountView.as_view()),
    path("campaigns/<int:pk>/test-send", TestSendView.as_view()),
    path("campaigns/<int:pk>/rehearsals", CampaignRehearsalsView.as_view()),
    path("rehearsals/<int:pk>", RehearsalView.as_view()),
    path("rehearsals/<int:pk>/cancel", CancelRehearsalView.as_view()),
    path("campaigns/<int:pk>/proofs", ProofsView.as_view()),
    path("campaigns/<int:pk>/proofs/addresses", AddressesView.as_view()),
    path("campaigns/<int:pk>/diff", DiffView.as_view()),
    path("deliveries/<int:pk>/message", SentView.as_view()),
    path("campaigns/<int:pk>/why", WhyView.as_view()),
    path("campaigns/<int:pk>/trigger", TriggerView.as_view()),
    path("", include("campaigns.suggestions.api_urls")),
    path("", include("campaigns.coupons.api_urls")),
    path("", include("campaigns.webhooks.api_urls")),
    path("", include("campaigns.journeys.api_urls")),
    path("campaigns/<int:pk>/attribution", AttributionView.as_view()),
    path("sender-domains/<str:domain>", DomainView.as_view()),
    path("push/key", PushKeyView.as_view()),
    path("customers/<str:external_id>/push-subscriptions", PushSubscriptionsView.as_view()),
    path("limits", LimitsView.as_view()),
    path("experiments/<slug:key>/report-links", ExperimentLinksView.as_view()),
    path("experiments/<slug:key>/report", ReportView.as_view(), name="api-experiment-report"),
]
