from django.urls import path

from personalization.customers import saved_view_pages, search_views, views

app_name = "customers"
urlpatterns = [
    path("suggestions", search_views.suggestions, name="suggestions"),
    path("views", saved_view_pages.save, name="save-view"),
    path("views/<int:pk>/remove", saved_view_pages.remove, name="remove-view"),
    path("<int:pk>", views.profile, name="profile"),
    path("<int:pk>/consent", views.change_consent, name="consent"),
    path("<int:pk>/suppression", views.change_suppression, name="suppression"),
]
