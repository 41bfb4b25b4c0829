from django.urls import path

from personalization.catalog import api

urlpatterns = [path("items", api.ItemList.as_view(), name="api-items")]
