from django.urls import path

from personalization.customers import search_views, views

app_name = "customers"
urlpatterns = [
    path("suggestions", search_views.suggestions, name="suggestions"),
    path("<int:pk>", views.profile, name="profile"),
    path("<int:pk>/consent", views.change_consent, name="consent"),
    path("<int:pk>/suppression", views.change_suppression, name="suppression"),
]
