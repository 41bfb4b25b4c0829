from django.urls import path

from campaigns.coupons import pages

app_name = "coupons"
urlpatterns = [
    path("", pages.pool_list, name="list"),
    path("<slug:name>", pages.pool, name="pool"),
    path("<slug:name>/archive", pages.archive, name="archive"),
]
