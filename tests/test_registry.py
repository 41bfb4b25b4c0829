import sys
from pathlib import Path

import pytest

from personalization.registry import RegistryError, discover


class Plug:
    name = ""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Makes a package of the given modules and imports it."""
    counter = iter(range(100))

    def make(**modules: str):
        name = f"plugs_{abs(hash(request.node.name))}_{next(counter)}"
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(f"from plug_base import Plug\n{source}")
        monkeypatch.syspath_prepend(str(tmp_path))
        sys.modules["plug_base"] = type(sys)("plug_base")
        sys.modules["plug_base"].Plug = Plug
        return __import__(name)

    yield make
    sys.modules.pop("plug_base", None)


def test_each_module_gives_its_one_class_under_its_name(package) -> None:
    found = discover(package(als="class Als(Plug): name = 'als'", ease="class Ease(Plug): pass"), Plug)
    assert sorted(found) == ["als", "ease"]


def test_modules_with_an_underscore_are_no_plug_ins(package) -> None:
    assert discover(package(_shared="class Shared(Plug): pass"), Plug) == {}


def test_a_module_without_a_plug_in_is_refused(package) -> None:
    with pytest.raises(RegistryError, match="must define one subclass of Plug; found: none"):
        discover(package(empty="x = 1"), Plug)


def test_a_module_with_two_is_refused(package) -> None:
    with pytest.raises(RegistryError, match="A, B"):
        discover(package(two="class A(Plug): pass\nclass B(Plug): pass"), Plug)


def test_a_name_taken_twice_is_refused(package) -> None:
    with pytest.raises(RegistryError, match="'x' is taken"):
        discover(package(a="class A(Plug): name = 'x'", b="class B(Plug): name = 'x'"), Plug)
