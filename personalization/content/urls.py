from django.urls import path

from personalization.content import pages

app_name = "content"
urlpatterns = [
    path("blocks", pages.block_list, name="blocks"),
    path("new-block", pages.block, name="new-block"),
    path("blocks/<slug:name>", pages.block, name="block"),
    path("blocks/<slug:name>/restore/<int:number>", pages.restore, name="restore"),
    path("blocks/<slug:name>/archive", pages.archive, name="archive"),
]
