from django.urls import path

from experiments.sdk import views as sdk_views

urlpatterns = [
    path("api/features/<str:client_key>", sdk_views.features, name="sdk-features"),
    path("ofrep/v1/evaluate/flags", sdk_views.evaluate_all, name="ofrep-all"),
    path("ofrep/v1/evaluate/flags/<str:key>", sdk_views.evaluate_one, name="ofrep-one"),
]
