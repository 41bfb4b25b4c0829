"""Mounted at /api/v1/."""

from django.urls import path

from personalization.segments import api

urlpatterns = [
    path("segments", api.SegmentList.as_view(), name="api-segments"),
    path("segments/count", api.SegmentCount.as_view(), name="api-segment-count"),
    path("segments/<int:segment_id>", api.SegmentDetail.as_view(), name="api-segment"),
]
