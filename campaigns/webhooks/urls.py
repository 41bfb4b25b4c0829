"""Staff pages, mounted at /app/webhooks/."""

from django.urls import path

from campaigns.webhooks import pages

app_name = "webhooks"
urlpatterns = [
    path("", pages.endpoint_list, name="list"),
    path("new", pages.endpoint, name="new"),
    path("<int:pk>", pages.endpoint, name="endpoint"),
    path("<int:pk>/rotate", pages.rotate, name="rotate"),
    path("<int:pk>/test", pages.test, name="test"),
    path("<int:pk>/again", pages.again, name="again"),
    path("<int:pk>/delete", pages.delete, name="delete"),
]
