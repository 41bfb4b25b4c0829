from django.urls import path

from personalization.content.block_api import BlockListView, BlockVersionsView, BlockView
from personalization.content.phrase_api import PhraseSetListView, PhraseSetView, PhraseVersionsView, TryView

urlpatterns = [
    path("blocks", BlockListView.as_view()),
    path("blocks/<slug:name>", BlockView.as_view()),
    path("blocks/<slug:name>/versions", BlockVersionsView.as_view()),
    path("phrases", PhraseSetListView.as_view()),
    path("phrases/<slug:name>", PhraseSetView.as_view()),
    path("phrases/<slug:name>/versions", PhraseVersionsView.as_view()),
    path("phrases/<slug:name>/try", TryView.as_view()),
]
