"""The wheel, built and installed into an empty environment, works without the repository."""

import subprocess
import sys
from pathlib import Path

import pytest

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


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_console_script_enriches(installed: Path, tmp_path: Path) -> None:
    points = _run(str(installed / "dial-enricher"), str(ROOT / "tests/data/example.log"), cwd=tmp_path)
    assert [line.partition(",")[0] for line in points.splitlines()] == ["analytics"] * 2 + ["rate_analytics"]
    assert "language=es" in points


def test_the_module_runs_and_tells_its_version(installed: Path, tmp_path: Path) -> None:
    version = _run(str(installed / "python"), "-m", "dial_enricher", "--version", cwd=tmp_path)
    assert version.startswith("dial-enricher, version ")


def test_type_checkers_are_told_that_the_package_is_typed(installed: Path, tmp_path: Path) -> None:
    where = _run(
        str(installed / "python"), "-c", "import dial_enricher; print(dial_enricher.__file__)", cwd=tmp_path
    )
    assert Path(where.strip()).with_name("py.typed").exists()
