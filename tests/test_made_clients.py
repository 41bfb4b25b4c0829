"""The clients that bin/clients made are used: run by bin/_checks.sh once they are made, with CLIENTS_DIR."""

import os
import subprocess
from pathlib import Path

import pytest

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.events.models import Event

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("CLIENTS_DIR", "nowhere"))
SCOPES = [
    Scope.INGEST, Scope.CUSTOMERS_READ, Scope.SEGMENTS_WRITE, Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE,
]  # fmt: skip
PYTHON = FOLDER / ".venv" / "bin" / "python"
TYPESCRIPT = FOLDER / "typescript" / "compiled" / "use.js"


@pytest.mark.skipif(not PYTHON.exists(), reason="bin/clients python was not run into CLIENTS_DIR")
@pytest.mark.django_db(transaction=True)
def test_the_python_client_sends_an_event_reads_the_customer_and_plans_a_campaign(live_server) -> None:
    key = create_key(name="client", scopes=SCOPES)[1]
    command = [PYTHON, ROOT / "bin/clients.d/use.py", FOLDER / "python", live_server.url, key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("ada Tea draft None\n", 0), done.stderr
    assert Event.objects.get().value == 42


@pytest.mark.skipif(not TYPESCRIPT.exists(), reason="bin/clients typescript was not run into CLIENTS_DIR")
@pytest.mark.django_db(transaction=True)
def test_the_typescript_client_goes_from_a_customer_to_the_report_of_a_launched_campaign(live_server) -> None:
    key = create_key(name="client", scopes=SCOPES)[1]
    command = ["node", TYPESCRIPT, live_server.url, key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("ada Tea sending 1 no report yet\n", 0), done.stderr
    assert Event.objects.get().value == 42
