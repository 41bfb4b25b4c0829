"""Mounted at /api/v1/."""

from django.urls import path

from personalization.segments import api, discovery_api, export_api, insight_api, words_api

urlpatterns = [
    path("discoveries", discovery_api.Discoveries.as_view(), name="api-discoveries"),
    path("discoveries/<int:pk>", discovery_api.DiscoveryDetail.as_view(), name="api-discovery"),
    path("discoveries/<int:pk>/run", discovery_api.DiscoveryRun.as_view(), name="api-discovery-run"),
    path("discoveries/<int:pk>/cancel", discovery_api.DiscoveryCancel.as_view(), name="api-discovery-cancel"),
    path(
        "discoveries/<int:pk>/segment", discovery_api.DiscoverySegment.as_view(), name="api-discovery-segment"
    ),
    path("segments", api.SegmentList.as_view(), name="api-segments"),
    path("segments/ready", discovery_api.ReadySegments.as_view(), name="api-segments-ready"),
    path("segments/count", api.SegmentCount.as_view(), name="api-segment-count"),
    path("segments/from-words", words_api.SegmentFromWords.as_view(), name="api-segment-from-words"),
    path("segments/from-words/<int:call_id>", words_api.SegmentFromWordsAnswer.as_view()),
    path("segments/funnel", insight_api.SegmentFunnel.as_view(), name="api-segment-funnel"),
    path("segments/overlap", insight_api.SegmentOverlap.as_view(), name="api-segment-overlap"),
    path(
        "segments/<int:segment_id>/explain", insight_api.SegmentExplain.as_view(), name="api-segment-explain"
    ),
    path(
        "segments/<int:segment_id>/members", insight_api.SegmentMembers.as_view(), name="api-segment-members"
    ),
    path("segments/<int:segment_id>/exports", export_api.SegmentExports.as_view(), name="api-exports"),
    path("segments/<int:segment_id>/exports/<int:pk>", export_api.SegmentExportDetail.as_view()),
    path("segments/<int:segment_id>/exports/<int:pk>/cancel", export_api.SegmentExportCancel.as_view()),
    path("segments/<int:segment_id>/exports/<int:pk>/file", export_api.SegmentExportFile.as_view()),
    path("segments/<int:segment_id>/sizes", insight_api.SegmentSizes.as_view(), name="api-segment-sizes"),
    path("segments/<int:segment_id>/moves", insight_api.SegmentMoves.as_view(), name="api-segment-moves"),
    path("segments/<int:segment_id>", api.SegmentDetail.as_view(), name="api-segment"),
]
