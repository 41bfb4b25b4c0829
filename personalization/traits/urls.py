from django.urls import path

from personalization.traits import catalog_views, text_pages

app_name = "traits"
urlpatterns = [
    path("traits/", catalog_views.catalog, name="catalog"),
    path("traits/live", catalog_views.live, name="live"),
    path("traits/act", catalog_views.act, name="act"),
    path("texts/", text_pages.sources, name="texts"),
    path("texts/<str:name>", text_pages.show, name="text-source"),
    path("texts/<str:name>/act", text_pages.act, name="text-source-act"),
]
