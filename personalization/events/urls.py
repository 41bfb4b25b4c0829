from django.urls import path

from personalization.events import identity_views

app_name = "identity"
urlpatterns = [
    path("<int:pk>/merge", identity_views.merge, name="merge"),
    path("merges/<int:pk>/undo", identity_views.undo, name="undo"),
]
