"""Compiles what recommenders compute with, so that no first visitor waits for it."""

from typing import Any

from django.core.management.base import BaseCommand

from recommender.ranking.compiling import compile_loops


class Command(BaseCommand):
    help = "Compiles the recommenders' loops into the cache of all processes; bin/run does it by itself."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        compile_loops()
