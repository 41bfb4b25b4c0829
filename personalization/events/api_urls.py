from django.urls import path

from personalization.events import identity_api

urlpatterns = [
    path(
        "customers/<str:external_id>/merges",
        identity_api.CustomerMerges.as_view(),
        name="api-customer-merges",
    ),
    path("merges/<int:pk>/undo", identity_api.MergeUndo.as_view(), name="api-merge-undo"),
]
