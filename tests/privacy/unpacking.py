"""What stands in the file of everything about a person."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.db import transaction

from personalization.access.jobs.work import nobody_listens
from personalization.customers.models import Customer
from personalization.privacy.export import write_zip


def data_of(customer: Customer) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Rows by kind and table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "person.zip"
        with transaction.atomic():
            write_zip(customer, file, nobody_listens)
        data: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(
            zipfile.ZipFile(file).read("data.json")
        )["data"]
        return data
