"""The files of deploy/, as far as can be told without Docker and Kubernetes: names, commands, references."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands
from granian.cli import cli as granian

from personalization.config.queues import DUE_SOON, LONG, QUEUES

ROOT = Path(__file__).resolve().parents[1]
DEPLOY, CHART = ROOT / "deploy", ROOT / "deploy" / "helm" / "bespoke"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}
READ = set(
    re.findall(r'env\.\w+\("([A-Z_]+)"', (ROOT / "personalization" / "config" / "settings.py").read_text())
)
# For the other containers of the compose file alone.
ENGINES = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def example() -> dict[str, str]:
    lines = (DEPLOY / "example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def demanded() -> set[str]:
    """What docs/settings.md says that production must set."""
    page = (ROOT / "docs" / "settings.md").read_text().partition("## All settings")[0]
    return set(re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE))


def in_chart() -> set[str]:
    """Names that the chart sets, or asks for as keys of the secret."""
    secret = re.search(r"A secret with: ([A-Z_, ]+)\.", (CHART / "values.yaml").read_text())
    assert secret
    named = re.findall(r"env: \[\{ name: ([A-Z_]+)", "".join(TEMPLATES.values()))
    return set(secret[1].split(", ")) | set(VALUES["settings"]) | set(named)


def test_every_variable_that_is_set_is_one_that_the_settings_read() -> None:
    ours = COMPOSE["x-bespoke"]["environment"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    image = set(re.findall(r"([A-Z_]+)=", dockerfile)) - {"PYTHONUNBUFFERED", "WEB_WORKERS"}
    assert set(example()) - ENGINES - READ == set()
    assert set(ours) - READ == set()
    assert in_chart() - READ == set()
    assert image == {"BESPOKE_DATA_DIR"} <= READ
    assert "WEB_WORKERS=2" in dockerfile and '"--workers", "2"' in dockerfile
    assert "mul 2 .Values.web.replicas" in TEMPLATES["settings.yaml"]


def test_every_variable_that_production_must_set_is_set() -> None:
    assert len(demanded()) > 5
    assert demanded() - set(example()) - set(COMPOSE["x-bespoke"]["environment"]) == set()
    assert demanded() - in_chart() == set()
    used = re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text())
    assert set(used) <= set(example())


def commands() -> dict[str, list[str]]:
    """Every command of the image, by where it stands."""
    docker = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
    found = {"Dockerfile": yaml.safe_load(re.search(r"^CMD (\[.*\])$", docker, re.MULTILINE)[1])}
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "bespoke" and "command" in service:
            found[f"compose {name}"] = service["command"]
    for name, text in TEMPLATES.items():
        for number, command in enumerate(re.findall(r"command: (\[.*\])", text)):
            found[f"{name} {number}"] = yaml.safe_load(command.replace("{{ .Values.worker.processes }}", "2"))
    return found


@pytest.mark.parametrize("place", commands())
def test_every_command_can_be_called_like_that(place: str) -> None:
    program, *arguments = commands()[place]
    if program == "sh":
        for part in arguments[1].split(" && "):
            assert shlex.split(part)[:2] == ["python", "manage.py"]
            assert shlex.split(part)[2] in get_commands()
    elif program == "granian":
        granian.make_context("granian", arguments)
    else:
        assert program == "celery" and arguments[:2] == ["-A", "personalization.config"]
        command = celery.commands[arguments[2]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {one for one in arguments[3:] if one.startswith("-")} <= known


def test_both_ways_to_deploy_compile_what_recommenders_compute_with() -> None:
    """Into the data that web and workers share; else the first to ask waits for it."""
    compile_loops = ["sh", "-c", "python manage.py compile_loops"]
    compiling = {place for place, command in commands().items() if command == compile_loops}
    assert compiling == {"compose loops", "loops.yaml 0"}
    assert "{ name: data, mountPath: /data }" in TEMPLATES["loops.yaml"]


def test_workers_take_every_queue_and_none_takes_both_kinds() -> None:
    taken = {
        place: set(one[one.index("-Q") + 1].split(",")) for place, one in commands().items() if "-Q" in one
    }
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert set(QUEUES) == routed | {"default"}
    assert sorted(map(sorted, taken.values())) == sorted(2 * [sorted(DUE_SOON), sorted(LONG)])


def test_services_wait_only_for_services_and_use_only_volumes_that_exist() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])


def test_the_keys_of_backups_lie_on_a_volume_of_their_own_that_web_and_worker_share() -> None:
    place = COMPOSE["x-bespoke"]["environment"]["BACKUP_KEY_DIR"]
    for name in ("web", "worker", "jobs"):
        assert f"backup-keys:{place}" in COMPOSE["services"][name]["volumes"]
    # Else the volume would belong to root, and the image's user could write no key.
    assert re.search(rf"chown bespoke .*{place}$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    for name in ("web.yaml", "workers.yaml"):
        assert "name: backup-keys, mountPath: {{ .Values.settings.BACKUP_KEY_DIR }}" in TEMPLATES[name]
        assert "claimName: {{ .Release.Name }}-backup-keys" in TEMPLATES[name]


def test_templates_of_the_chart_use_values_and_parts_that_exist() -> None:
    text = "".join(TEMPLATES.values())
    used = set(re.findall(r"\.Values\.([\w.]+)", text))
    for name in used:
        found: Any = VALUES
        for part in name.split("."):
            assert part in found, name
            found = found[part]
    assert {name.split(".")[0] for name in used} == set(VALUES)
    assert set(re.findall(r'include "([\w.]+)"', text)) == set(re.findall(r'define "([\w.]+)"', text))
    assert text.count("{{") == text.count("}}")


def test_nothing_of_this_machine_gets_into_the_image() -> None:
    left_out = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".venv", "var", "deploy/.env"} <= left_out


def test_a_key_that_was_left_empty_is_no_key() -> None:
    """`LINK_KEY=` in the file of the environment: signed with nothing, anybody could sign."""
    assert settings.LINK_KEY and settings.ADDRESS_KEY and all(settings.DATA_KEYS)
    source = (ROOT / "personalization" / "config" / "settings.py").read_text()
    for name in ("LINK_KEY", "ADDRESS_KEY", "DATA_KEYS"):
        assert re.search(rf"^{name} = env\.\w+\(\"{name}\", default=.*\) or ", source, re.MULTILINE)


def test_where_the_code_may_not_be_written_compiled_loops_are_kept_with_the_data(tmp_path: Path) -> None:
    """The image's user may write neither the code nor a home: numba then refuses to be imported at all."""
    script = (
        "import os; os.access = lambda *_, **__: False\n"
        "import personalization.config.settings, recommender.algorithms._ranking_kernels\n"
        "print(os.environ['NUMBA_CACHE_DIR'])"
    )
    environment = {**os.environ, "BESPOKE_DATA_DIR": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "compiled")


@pytest.mark.skipif(shutil.which("helm") is None, reason="no helm is installed")
@pytest.mark.parametrize("values", ["ingress.enabled=false", "ingress.enabled=true,ingress.tlsSecret=tls"])
def test_helm_renders_the_chart(values: str) -> None:
    command = ["helm", "template", "shop", str(CHART), "--set", values]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kinds = {one["kind"] for one in yaml.safe_load_all(done.stdout) if one}
    assert {"Deployment", "StatefulSet", "Job", "Service", "ConfigMap"} <= kinds
    assert ("Ingress" in kinds) == ("true" in values)
