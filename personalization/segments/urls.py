"""Staff pages, mounted at /app/segments/."""

from django.urls import path

from personalization.segments import insight_views, views

app_name = "segments"
urlpatterns = [
    path("new/", views.builder, name="new"),
    path("new/save", views.save, name="create"),
    path("count", views.count, name="count"),
    path("<int:segment_id>/", views.builder, name="edit"),
    path("<int:segment_id>/members/", insight_views.insight, name="insight"),
    path("<int:segment_id>/save", views.save, name="save"),
    path("<int:segment_id>/versions/<int:number>/restore", views.restore, name="restore"),
]
