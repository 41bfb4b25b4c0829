from django.urls import path

from personalization.customers import views

app_name = "customers"
urlpatterns = [
    path("<int:pk>", views.profile, name="profile"),
    path("<int:pk>/consent", views.change_consent, name="consent"),
    path("<int:pk>/suppression", views.change_suppression, name="suppression"),
]
