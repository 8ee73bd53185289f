"""The wheel, built and installed into an empty environment, works without the repository."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import tiny_model

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel, with what pip chose for its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    _run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
    binaries = folder / "venv" / "bin"
    _run(str(binaries / "pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel), cwd=folder)
    return binaries


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_console_script_enriches(installed: Path, tmp_path: Path) -> None:
    points = _run(str(installed / "dial-enricher"), str(ROOT / "tests/data/example.log"), cwd=tmp_path)
    assert [line.partition(",")[0] for line in points.splitlines()] == ["analytics"] * 2 + ["rate_analytics"]
    assert "language=en" in points
    assert r"topic=SQL\ queries" in points  # the model is in the wheel, and this folder is empty


def test_the_module_runs_and_tells_its_version(installed: Path, tmp_path: Path) -> None:
    version = _run(str(installed / "python"), "-m", "dial_enricher", "--version", cwd=tmp_path)
    assert version.startswith("dial-enricher, version ")


def test_type_checkers_are_told_that_the_package_is_typed(installed: Path, tmp_path: Path) -> None:
    where = _run(
        str(installed / "python"), "-c", "import dial_enricher; print(dial_enricher.__file__)", cwd=tmp_path
    )
    assert Path(where.strip()).with_name("py.typed").exists()


def test_the_topic_model_is_inside_and_found(tmp_path: Path) -> None:
    source, unpacked = tmp_path / "source", tmp_path / "unpacked"
    shutil.copytree(ROOT / "dial_enricher", source / "dial_enricher")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    tiny_model.write(source / "topic_model")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = "from dial_enricher.topics import find; print(find.at_hand(), len(find.find().topics))"
    found = _run(sys.executable, "-c", code, cwd=tmp_path, env={"PYTHONPATH": str(unpacked)})
    assert found == f"{unpacked / 'dial_enricher' / 'topic_model'} {len(tiny_model.LABELS)}\n"
    arguments = ("-m", "dial_enricher", "topics", "map", "--output", "-")
    page = _run(sys.executable, *arguments, cwd=tmp_path, env={"PYTHONPATH": str(unpacked)})
    assert page.startswith("<!doctype html>")
