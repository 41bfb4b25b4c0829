"""The rooms of ARCHITECTURE.md: imports and foreign keys point downwards, pure packages stay pure."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

from personalization.customers.models import Customer
from personalization.personal_data import PersonalData

ROOT = Path(__file__).resolve().parent.parent

# From the top of the house to the bottom. Rooms on one floor do not know each other.
FLOORS = [
    {"personalization.config"},
    {"personalization.demo"},
    {"campaigns"},
    {"experiments", "recommender"},
    {"personalization.content", "personalization.segments", "personalization.sources"},
    {"personalization.traits"},
    {"personalization.events"},
    {"personalization.privacy"},
    {"personalization.customers", "personalization.catalog", "personalization.language_model"},
    {
        "personalization.access",
        "personalization.context",
        "personalization.half_built",
        "personalization.importing",
        "personalization.personal_data",
        "personalization.registry",
        "personalization.words",
    },
    {"personalization.spreadsheet", "personalization.tracing"},
]
LEVEL = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PURE = [
    "campaigns/subject_lines/model.py",
    "campaigns/suggestions/claims.py",
    "campaigns/suggestions/facts.py",
    "campaigns/suggestions/numerals.py",
    "campaigns/subject_lines/words.py",
    "experiments/assignment",
    "experiments/decisions",
    "experiments/outlooks/guardrail.py",
    "experiments/outlooks/lab.py",
    "experiments/outlooks/outlook.py",
    "experiments/stats",
    "experiments/metrics",
    "experiments/uplift",
    "experiments/bandits",
    "experiments/off_policy",
    "experiments/long_runs/long_run.py",
    "recommender/algorithms",
    "recommender/evaluation",
    "personalization/content/grammar",
    "personalization/context",
    "personalization/personal_data.py",
    "personalization/registry.py",
    "personalization/tracing.py",
    "personalization/segments/definition.py",
    "personalization/traits/lifetime",
    "personalization/traits/texts",
    "personalization/words.py",
]
FRAMEWORKS = {"django", "rest_framework", "celery", "redis", "unfold"}


def room_of(module: str) -> str | None:
    return next((room for room in LEVEL if module == room or module.startswith(room + ".")), None)


def imported_modules(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def upward_imports(path: str, source: str) -> list[str]:
    """The imports in `source`, the text of the file `path`, that climb or stay on a floor."""
    own = room_of(path.removesuffix(".py").replace("/", "."))
    wrong = []
    for module in imported_modules(source):
        other = room_of(module)
        if own is None or other is None or own == other:
            continue
        if LEVEL[other] <= LEVEL[own]:
            wrong.append(f"{path} imports {module}")
    return wrong


def framework_imports(path: str, source: str) -> list[str]:
    return [f"{path} imports {m}" for m in imported_modules(source) if m.split(".")[0] in FRAMEWORKS]


def own_files() -> list[str]:
    folders = ("personalization", "campaigns", "experiments", "recommender")
    return [str(p.relative_to(ROOT)) for folder in folders for p in (ROOT / folder).rglob("*.py")]


def test_imports_point_only_downwards() -> None:
    wrong = [w for path in own_files() for w in upward_imports(path, (ROOT / path).read_text())]
    assert wrong == []


def test_every_file_stands_in_a_room() -> None:
    homeless = [
        path for path in own_files() if path.count("/") > 1 and room_of(path.replace("/", ".")) is None
    ]
    assert homeless == []


def test_pure_packages_import_no_framework() -> None:
    wrong = [
        w
        for path in own_files()
        if any(path == pure or path.startswith(pure + "/") for pure in PURE)
        for w in framework_imports(path, (ROOT / path).read_text())
    ]
    assert wrong == []


def test_foreign_keys_point_only_downwards() -> None:
    wrong = []
    for model in apps.get_models():
        own = room_of(model.__module__)
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if own is None or not field.concrete or not isinstance(target, type):
                continue
            other = room_of(target.__module__)
            if other and other != own and LEVEL[other] <= LEVEL[own]:
                wrong.append(f"{model.__name__}.{field.name} → {target.__name__}")
    assert wrong == []


def leads_to_a_customer(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    """Whether foreign keys lead from this model to a customer, over however many rows."""
    targets = [f.related_model for f in model._meta.concrete_fields if isinstance(f.related_model, type)]
    return any(
        target is Customer or (target not in seen and leads_to_a_customer(target, seen | {model}))
        for target in targets
    )


def test_every_model_about_a_customer_says_what_becomes_of_its_rows() -> None:
    undeclared = [
        f"{model.__name__} needs personal_data = PersonalData(kind=…, at_erasure=…): see personal_data.py"
        for model in apps.get_models()
        if leads_to_a_customer(model) and not isinstance(getattr(model, "personal_data", None), PersonalData)
    ]
    assert undeclared == []


def test_services_and_selectors_never_import_tasks() -> None:
    wrong = [
        path
        for path in own_files()
        if Path(path).stem in ("services", "selectors")
        and any(
            m.split(".")[-1] == "tasks" or ".tasks." in m for m in imported_modules((ROOT / path).read_text())
        )
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("experiments/services.py", "from campaigns.models import Run"),
        ("recommender/services.py", "import experiments.stats"),
        ("personalization/customers/models.py", "from personalization.events import models"),
        ("personalization/access/services.py", "from personalization.config import settings"),
    ],
)
def test_a_planted_upward_import_is_found(path: str, planted: str) -> None:
    assert upward_imports(path, planted)


def test_a_planted_framework_import_is_found() -> None:
    assert framework_imports("experiments/stats/planted.py", "def f():\n    from django.db import models\n")


def test_every_app_names_its_own_room_on_a_floor() -> None:
    ours = [
        config.name for config in apps.get_app_configs() if (ROOT / config.name.replace(".", "/")).is_dir()
    ]
    assert {room_of(name) for name in ours} <= set(LEVEL)
