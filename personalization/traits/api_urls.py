from django.urls import path

from personalization.traits import api

urlpatterns = [
    path("traits", api.TraitList.as_view(), name="api-traits"),
    path("traits/<str:name>", api.TraitDetail.as_view(), name="api-trait"),
]
