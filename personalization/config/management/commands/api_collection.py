import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

from personalization.config.collection import make_collection, operations


class Command(BaseCommand):
    help = "Writes the API as a Postman collection, which Bruno and others import too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        document = SchemaGenerator().get_schema(request=None, public=True)
        collection = make_collection(document, base_url=settings.SITE_URL)
        options["file"].write_text(json.dumps(collection, indent=1, ensure_ascii=False, default=str) + "\n")
        self.stdout.write(f"{options['file']}: {sum(1 for _ in operations(document))} requests.")
