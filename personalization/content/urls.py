from django.urls import path

from personalization.content import pages, phrase_pages

app_name = "content"
urlpatterns = [
    path("blocks", pages.block_list, name="blocks"),
    path("new-block", pages.block, name="new-block"),
    path("blocks/<slug:name>", pages.block, name="block"),
    path("blocks/<slug:name>/restore/<int:number>", pages.restore, name="restore"),
    path("blocks/<slug:name>/archive", pages.archive, name="archive"),
    path("phrases", phrase_pages.phrase_list, name="phrase-sets"),
    path("new-phrases", phrase_pages.phrase_set, name="new-phrase-set"),
    path("phrases/<slug:name>", phrase_pages.phrase_set, name="phrase-set"),
    path("phrases/<slug:name>/restore/<int:number>", phrase_pages.restore_phrases, name="restore-phrases"),
    path("phrases/<slug:name>/archive", phrase_pages.archive_phrases, name="archive-phrases"),
]
