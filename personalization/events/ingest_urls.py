from django.urls import path

from personalization.events import ingest_views
from personalization.events.messages import CALLS

app_name = "ingest"
urlpatterns = [
    path("batch", ingest_views.batch, name="batch"),
    *(path(name, ingest_views.call, {"name": name}, name=name) for name in CALLS),
]
