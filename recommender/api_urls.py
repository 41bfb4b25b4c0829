from django.urls import path

from recommender.api import RecommendationsView
from recommender.models_api import CancelView, ModelsView, ModelView, PromoteView, RollbackView

urlpatterns = [
    path("recommendations", RecommendationsView.as_view(), name="recommendations"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/<int:pk>", ModelView.as_view(), name="model"),
    path("models/<int:pk>/cancel", CancelView.as_view(), name="model-cancel"),
    path("models/<int:pk>/promote", PromoteView.as_view(), name="model-promote"),
    path("models/<int:pk>/rollback", RollbackView.as_view(), name="model-rollback"),
]
