from django.urls import path

from campaigns.webhooks import api

urlpatterns = [
    path("webhooks", api.WebhooksView.as_view()),
    path("webhooks/<int:pk>", api.WebhookView.as_view()),
    path("webhooks/<int:pk>/rotate-secret", api.RotateView.as_view()),
    path("webhooks/<int:pk>/calls", api.TellingsView.as_view()),
]
