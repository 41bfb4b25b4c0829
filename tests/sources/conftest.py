from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile


@pytest.fixture(autouse=True)
def import_dir(settings, tmp_path: Path) -> Path:
    """Uploads of a test stay in its own folder."""
    settings.IMPORT_DIR = tmp_path / "imports"
    return settings.IMPORT_DIR


@pytest.fixture
def upload():
    def make(content: str | bytes, name: str = "people.csv") -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())

    return make
