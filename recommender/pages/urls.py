"""Staff pages, mounted at /app/recommender/."""

from django.urls import path

from recommender.pages import models, now, training, trial

app_name = "recommender"
urlpatterns = [
    path("", models.overview, name="list"),
    path("live", models.live, name="live"),
    path("which/", models.which, name="which"),
    path("train/", training.train, name="train"),
    path("train/parameters", training.parameters, name="parameters"),
    path("roll-back", models.roll_back, name="roll-back"),
    path("try/", trial.trial, name="try"),
    path("try/customers", trial.find, name="find"),
    path("try/<int:run_id>/<int:customer_id>", trial.column, name="column"),
    path("now/<int:customer_id>", now.now, name="now"),
    path("<int:run_id>/", models.run_page, name="run"),
    path("<int:run_id>/live", models.run_live, name="run-live"),
    path("<int:run_id>/topics", models.topics, name="topics"),
    path("<int:run_id>/cancel", training.cancel, name="cancel"),
    path("<int:run_id>/promote", models.promote, name="promote"),
]
