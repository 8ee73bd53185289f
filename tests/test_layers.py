"""Imports point down only, and nobody pays for a library that is not used."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import tiny_model
from tests.packing import PACKERS
from tests.support import PLAIN, PROGRAM, ROOT, SAMPLE, SAMPLE_LINES, changed, line, log, run

PACKAGE = ROOT / "dial_enricher"
FLOORS = (
    "errors event schema",
    "values take jsontext logformat replay identity usage rates pricing bodies streams texts points"
    " lineprotocol jsonlines batch split selection stats logs garbage skim endpoint profiles"
    " schema_text topics",
    "endpoints enrich sinks signals outlet inputs meter progress summary_file files rsyslog training",
    "settings pipeline report",
    "assemble doctor archive",
    "enricher options input_options stream_options doctor_cli topics_cli train_cli cli __main__ __init__",
)
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names.split()}
"""A package inside the package counts as one part."""


def module_name(file: Path) -> str:
    name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_name(file): file for file in PACKAGE.rglob("*.py")}


def imports(file: Path) -> Iterator[str]:
    """The modules of the package that a file imports, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively: hard to read, hard to check"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, _, inner = name.partition(".")
            if top == PACKAGE.name:
                yield _module_of(inner)


def _module_of(name: str) -> str:
    """The module that a dotted name is, or is in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or "__init__"


def floor(module: str) -> int:
    return FLOOR_OF[module.partition(".")[0]]


def test_every_module_has_a_floor_and_every_floor_its_modules() -> None:
    assert {module.partition(".")[0] for module in MODULES} == set(FLOOR_OF)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    above = [name for name in imports(MODULES[module]) if floor(name) > floor(module)]
    assert not above, f"{module} is on floor {floor(module)}"


def test_imports_make_no_ring() -> None:
    graph = {name: set(imports(file)) - {name} for name, file in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("event") < order.index("pipeline") < order.index("cli")


def test_an_import_that_points_up_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "upstart.py"
    file.write_text("def later():\n    from dial_enricher.settings import Settings\nimport dial_enricher.cli")
    assert sorted(imports(file)) == ["cli", "settings"]


ENGINE = {"numpy", "safetensors", "tokenizers"}
PACKAGES = {"bertopic", "huggingface_hub", "model2vec", "sentence_transformers", "torch"}
UNPACKING = {"gzip": "isal", "zstd": "compression" if sys.version_info >= (3, 14) else "backports"}
"""By format; the others come with Python and are loaded by its own modules as well."""
HEAVY = ENGINE | PACKAGES | {*UNPACKING.values(), "fsspec", "lingua", "tqdm", "influxdb_client"}
HEAVY |= {"dateutil", "dotenv"}
IMPORT_TIME = re.compile(r"^import time:.*\| *(\w+)[.\w]*$", re.MULTILINE)


def loaded(*arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> set[str]:
    """The heavy libraries that a run of the program loads."""
    python, *rest = PROGRAM
    done = run(*arguments, stdin=stdin, env=env, program=[python, "-X", "importtime", *rest])
    assert done.code == 0, done.err
    names = set(IMPORT_TIME.findall(done.err))
    assert "dial_enricher" in names
    return names & HEAVY


COMMANDS = (["enrich"], ["replay"], ["doctor"], ["topics"], ["topics", "map"])
HELP = [["--help"], *([*command, "--help"] for command in COMMANDS)]
DOCTOR = ["doctor", *PLAIN, "--to", "stdout", str(SAMPLE)]


@pytest.mark.parametrize("arguments", [*HELP, ["--version"], ["schema"], DOCTOR, PLAIN])
def test_nothing_heavy_is_loaded(arguments: list[str]) -> None:
    assert loaded(*arguments, stdin=b"".join(SAMPLE_LINES)) == set()


def test_what_is_used_is_loaded(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("DIAL_ENRICHER_FORMAT=json\n")
    late = line(changed(log(), "request.time", "2026-03-02T24:00"))
    assert loaded("--language", "all", "--languages", "en,de", "--topics", "off") == {"lingua"}
    model = str(tiny_model.write(tmp_path / "model"))
    assert loaded("--language", "off", "--topics", "all", "--topic-model", model) == ENGINE
    assert loaded(*PLAIN, "--topic-model", model) == set()
    page = str(tmp_path / "topics.html")
    assert loaded("topics", "map", "--output", page, "--topic-model", model) == ENGINE
    assert loaded(*PLAIN, "--env-file", str(env_file)) == {"dotenv"}
    assert loaded(*PLAIN, "--progress", "always") == {"tqdm"}
    assert loaded(*PLAIN, stdin=late) == {"dateutil"}
    for name, library in UNPACKING.items():
        assert loaded(*PLAIN, stdin=PACKERS[name](late)) == {"dateutil", library}
    assert "fsspec" in loaded(*PLAIN, f"file://{SAMPLE}")
    to_influx = ("--to", "influxdb", "--schema", "lean", "--log-level", "error")
    env = {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_DATABASE": "d"}
    assert "influxdb_client" in loaded(*PLAIN, *to_influx, env=env)
