from django.urls import path

from personalization.demo import views

app_name = "demo"
urlpatterns = [
    path("", views.shop, name="shop"),
    path("items/<slug:external_id>/", views.item, name="item"),
    path(
        "pictures/<int:department>-<int:category>-<int:thing>-<int:finish>.svg", views.picture, name="picture"
    ),
]
