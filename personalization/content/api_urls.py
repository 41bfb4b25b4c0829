from django.urls import path

from personalization.content.block_api import BlockListView, BlockVersionsView, BlockView

urlpatterns = [
    path("blocks", BlockListView.as_view()),
    path("blocks/<slug:name>", BlockView.as_view()),
    path("blocks/<slug:name>/versions", BlockVersionsView.as_view()),
]
