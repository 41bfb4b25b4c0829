"""Staff pages, mounted at /app/segments/."""

from django.urls import path

from personalization.segments import discovery_views, export_views, insight_views, views, words_views

app_name = "segments"
urlpatterns = [
    path("new/", views.builder, name="new"),
    path("new/save", views.save, name="create"),
    path("count", views.count, name="count"),
    path("narrow", views.narrow, name="narrow"),
    path("found/", discovery_views.discoveries, name="discoveries"),
    path("found/ready", discovery_views.make_ready, name="discovery-ready"),
    path("found/<int:pk>/", discovery_views.show, name="discovery"),
    path("found/<int:pk>/live", discovery_views.live, name="discovery-live"),
    path("found/<int:pk>/act", discovery_views.act, name="discovery-act"),
    path("from-words", words_views.ask, name="from-words"),
    path("from-words/<int:call_id>", words_views.answer, name="from-words-answer"),
    path("<int:segment_id>/", views.builder, name="edit"),
    path("<int:segment_id>/members/", insight_views.insight, name="insight"),
    path("<int:segment_id>/export", export_views.export, name="export"),
    path("<int:segment_id>/exports/live", export_views.live, name="exports-live"),
    path("<int:segment_id>/exports/<int:pk>.csv", export_views.download, name="export-file"),
    path("<int:segment_id>/save", views.save, name="save"),
    path("<int:segment_id>/versions/<int:number>/restore", views.restore, name="restore"),
]
