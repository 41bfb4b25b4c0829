"""Inside an app: its rooms stand in one order too, and nothing in them grows too long to be read."""

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = [
    *("campaigns", "experiments", "recommender"),
    *(f"personalization/{path.name}" for path in (ROOT / "personalization").iterdir() if path.is_dir()),
]
# What speaks with the world outside may know every room of its app; no room knows what another one shows.
FACE = re.compile(r"(^|_)(admin|api|apps|forms?|management|pages?|serializers|tasks|urls|views?)$")
MOST_LINES = {"function": 50, "file": 300}


def is_face(path: str) -> bool:
    return any(FACE.search(part) for part in path.removesuffix(".py").split("/")[1:])


def sources_of(*folders: str) -> dict[str, str]:
    """Path and text of every file of ours but migrations."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {str(p.relative_to(ROOT)): p.read_text() for p in paths if "migrations" not in p.parts}


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Modules and their names, without what only the type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports_of(node)


def file_of(module: str, sources: Mapping[str, str]) -> str | None:
    """The file of a module, or of the module that a name stands in; None outside of `sources`."""
    path = module.replace(".", "/")
    tries = [path, path.rpartition("/")[0]]
    found = [f"{one}{end}" for one in tries for end in (".py", "/__init__.py")]
    return next((file for file in found if file in sources), None)


def imports_between_rooms(app: str, sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The file that imports and the file it imports, where they stand in different rooms of `app`. A room is
    a folder, or a file beside the folders."""

    def room_of(path: str) -> str:
        return path.removeprefix(app + "/").split("/")[0].removesuffix(".py")

    for path, source in sources.items():
        for module in imports_of(ast.parse(source)):
            other = file_of(module, sources)
            if other and other.startswith(app + "/") and room_of(path) != room_of(other):
                yield path, other


def cycle_in(app: str, sources: Mapping[str, str]) -> list[str]:
    """Rooms of `app` that import each other in a circle, those with faces left out; empty without one."""
    graph: dict[str, set[str]] = {}
    for pair in imports_between_rooms(app, sources):
        if not any(is_face(path) for path in pair):
            own, other = (path.removeprefix(app + "/").split("/")[0] for path in pair)
            graph.setdefault(own, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def long_functions(path: str, source: str) -> Iterator[str]:
    """Functions that are too long, their docstring not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            begins = node.body[ast.get_docstring(node) is not None :][:1]
            head = node.body[0].lineno - node.lineno
            body = (node.end_lineno or 0) - begins[0].lineno + 1 if begins else 0
            if head + body > MOST_LINES["function"]:
                yield f"{path}: {node.name} has {head + body} lines"


def test_every_import_of_ours_leads_to_a_file() -> None:
    """The type checker takes a module that does not exist for a library without types."""
    sources = sources_of("personalization", "campaigns", "experiments", "recommender", "benchmarks", "tests")
    folders = {path.split("/")[0] for path in sources}
    wrong = [
        f"{path} imports {module}"
        for path, source in sources.items()
        for module in imports_of(ast.parse(source))
        if module.split(".")[0] in folders and not file_of(module, sources)
    ]
    assert wrong == []


@pytest.mark.parametrize("app", APPS)
def test_rooms_do_not_import_each_other_in_a_circle(app: str) -> None:
    assert cycle_in(app, sources_of(app)) == []


@pytest.mark.parametrize("app", APPS)
def test_no_room_imports_what_another_shows(app: str) -> None:
    wrong = [
        f"{path} imports {other}"
        for path, other in imports_between_rooms(app, sources_of(app))
        if is_face(other) and not is_face(path)
    ]
    assert wrong == []


def test_no_function_is_too_long_to_be_read() -> None:
    sources = sources_of("personalization", "campaigns", "experiments", "recommender", "benchmarks")
    assert [one for path, source in sources.items() for one in long_functions(path, source)] == []


def test_no_file_is_too_long_to_be_read() -> None:
    sources = sources_of("personalization", "campaigns", "experiments", "recommender", "benchmarks")
    assert [path for path, source in sources.items() if source.count("\n") > MOST_LINES["file"]] == []


def test_a_planted_circle_is_found() -> None:
    planted = {
        "campaigns/a/one.py": "from campaigns.b import two",
        "campaigns/b/two.py": "def f():\n    from campaigns.c import three",
        "campaigns/c/three.py": "from campaigns.a.one import name",
    }
    assert set(cycle_in("campaigns", planted)) == {"a", "b", "c"}
    planted["campaigns/c/three.py"] = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from campaigns.a.one import name"
    )
    assert cycle_in("campaigns", planted) == []


def test_a_planted_import_of_what_another_room_shows_is_found() -> None:
    planted = {"campaigns/a/one.py": "from campaigns.b.pages import show", "campaigns/b/pages.py": ""}
    assert list(imports_between_rooms("campaigns", planted)) == [
        ("campaigns/a/one.py", "campaigns/b/pages.py")
    ]
    assert (
        is_face("campaigns/b/pages.py")
        and is_face("campaigns/b/offer_api.py")
        and not is_face("campaigns/api/x.py".replace("api", "b"))
    )


def test_a_planted_long_function_is_found() -> None:
    body = "    x = 1\n" * 49
    assert list(long_functions("f.py", f'def f():\n    """Says\n    much.\n    """\n{body}')) == []
    assert list(long_functions("f.py", f"def f():\n{body}    x = 2\n"))
