from django.urls import path

from personalization.traits import api, catalog_api, text_api

urlpatterns = [
    path("traits", api.TraitList.as_view(), name="api-traits"),
    path("traits/<str:name>", api.TraitDetail.as_view(), name="api-trait"),
    path("traits/<str:name>/compute", api.TraitComputing.as_view(), name="api-trait-compute"),
    path("traits/<str:name>/stop", api.TraitStopping.as_view(), name="api-trait-stop"),
    path("text-sources", text_api.TextSourceList.as_view(), name="api-text-sources"),
    path("text-sources/<str:name>", text_api.TextSourceDetail.as_view(), name="api-text-source"),
    path("text-sources/<str:name>/learn", text_api.TextSourceLearning.as_view(), name="api-text-learning"),
    path("trait-catalog", catalog_api.TraitCatalog.as_view(), name="api-trait-catalog"),
    path("trait-declarations", catalog_api.DeclarationList.as_view(), name="api-trait-declarations"),
    path(
        "trait-declarations/<str:name>", catalog_api.DeclarationDetail.as_view(), name="api-trait-declaration"
    ),
]
