from django.urls import path

from personalization.customers import api
from personalization.customers.context_api import ContextView
from personalization.customers.timeline_api import CustomerTimeline

urlpatterns = [
    path("context", ContextView.as_view(), name="api-context"),
    path("customers", api.CustomerList.as_view(), name="api-customers"),
    path("customer-search", api.CustomerSearch.as_view(), name="api-customer-search"),
    path("customers/<str:external_id>/timeline", CustomerTimeline.as_view(), name="api-customer-timeline"),
    path("customers/<str:external_id>", api.CustomerDetail.as_view(), name="api-customer"),
    path(
        "customers/<str:external_id>/consents/<str:channel>/<str:topic>",
        api.CustomerConsent.as_view(),
        name="api-consent",
    ),
]
