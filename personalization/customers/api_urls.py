from django.urls import path

from personalization.customers import api

urlpatterns = [
    path("customers", api.CustomerList.as_view(), name="api-customers"),
    path("customers/<str:external_id>", api.CustomerDetail.as_view(), name="api-customer"),
    path(
        "customers/<str:external_id>/consents/<str:channel>/<str:topic>",
        api.CustomerConsent.as_view(),
        name="api-consent",
    ),
]
