"""Staff pages, mounted at /app/recommender/."""

from django.urls import path

from recommender import pages, train_page, trial_pages

app_name = "recommender"
urlpatterns = [
    path("", pages.overview, name="list"),
    path("live", pages.live, name="live"),
    path("which/", pages.which, name="which"),
    path("train/", train_page.train, name="train"),
    path("train/parameters", train_page.parameters, name="parameters"),
    path("roll-back", pages.roll_back, name="roll-back"),
    path("try/", trial_pages.trial, name="try"),
    path("try/customers", trial_pages.find, name="find"),
    path("try/<int:run_id>/<int:customer_id>", trial_pages.column, name="column"),
    path("<int:run_id>/", pages.run_page, name="run"),
    path("<int:run_id>/live", pages.run_live, name="run-live"),
    path("<int:run_id>/topics", pages.topics, name="topics"),
    path("<int:run_id>/promote", pages.promote, name="promote"),
]
