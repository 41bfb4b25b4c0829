from django.urls import path

from personalization.traits import catalog_views

app_name = "traits"
urlpatterns = [path("traits/", catalog_views.catalog, name="catalog")]
