"""All addresses. Apps bring their own; this file only mounts them."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from campaigns.reports import sharing_pages
from personalization.access import finding_views
from personalization.access.signing_in.login_pages import SignIn
from personalization.config import health, health_card

api = [
    # Addresses are tried in turn: those that are called most come first.
    path("", include("campaigns.onsite.api_urls")),
    path("", include("personalization.customers.api_urls")),
    path("", include("personalization.privacy.api_urls")),
    path("", include("personalization.events.api_urls")),
    path("", include("personalization.traits.api_urls")),
    path("", include("personalization.catalog.api_urls")),
    path("", include("personalization.sources.api_urls")),
    path("", include("personalization.segments.api_urls")),
    path("", include("experiments.api_urls")),
    path("", include("personalization.content.api_urls")),
    path("", include("recommender.api_urls")),
    path("", include("campaigns.api_urls")),
]

handler400 = "personalization.config.unanswered.bad_request"
handler403 = "personalization.config.unanswered.refused"
handler404 = "personalization.config.unanswered.not_found"
handler500 = "personalization.config.unanswered.failed"

urlpatterns = [
    path("v1/", include("personalization.events.ingest_urls")),
    path("api/v1/", include(api)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", RedirectView.as_view(url="/static/bespoke/favicon.svg")),
    path("admin/login/", SignIn.as_view()),
    path("admin/", admin.site.urls),
    path("app/health", health_card.health_card, name="health-card"),
    path("app/find", finding_views.found, name="find"),
    path("app/account/", include("personalization.access.urls")),
    path("app/customers/", include("personalization.customers.urls")),
    path("app/", include("personalization.traits.urls")),
    path("app/identity/", include("personalization.events.urls")),
    path("app/privacy/", include("personalization.privacy.urls")),
    path("app/data/", include("personalization.sources.urls")),
    path("app/segments/", include("personalization.segments.urls")),
    path("app/content/", include("personalization.content.urls")),
    path("app/recommender/", include("recommender.pages.urls")),
    path("app/campaigns/", include("campaigns.urls")),
    path("app/suggestions/", include("campaigns.suggestions.urls")),
    path("app/coupons/", include("campaigns.coupons.urls")),
    path("app/journeys/", include("campaigns.journeys.urls")),
    path("app/catalog/", include("personalization.catalog.urls")),
    path("app/onsite/", include("campaigns.onsite.urls")),
    path("app/connect/", include("campaigns.connect.urls")),
    path("app/webhooks/", include("campaigns.webhooks.urls")),
    path("app/experiments/", include("campaigns.reports.experiment_urls")),
    path("", include("experiments.sdk.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("t/", include("campaigns.tracking.urls")),
    path("r/<str:secret>", sharing_pages.shared, name="shared-report"),
    path("hooks/", include("campaigns.feedback.urls")),
    path("p/", include("personalization.privacy.public_urls")),
    path("demo/", include("personalization.demo.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]
