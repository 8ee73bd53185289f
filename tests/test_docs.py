"""The README says what is so: its commands are run, its tables are compared with the program."""

import re
import subprocess
import sys

import pytest

from dial_enricher.errors import Code
from tests import readme

README = readme.PATH.read_text()
MAKEFILE = (readme.ROOT / "Makefile").read_text()


def test_console_blocks_and_tables_are_what_the_program_prints() -> None:
    assert readme.rewritten(README) == README, "run `make docs` and review the difference"


@pytest.mark.parametrize("script", readme.blocks("sh"))
def test_a_shell_block_is_shell_with_options_and_targets_that_exist(script: str) -> None:
    assert subprocess.run(["bash", "-n"], input=script.encode(), timeout=60).returncode == 0
    options = set(re.findall(r"--[a-z-]+", readme.run("dial-enricher enrich --help")))
    for command in re.findall(r"\bdial-enricher (--?[^|>\n]*)", script):
        assert set(re.findall(r"--[a-z-]+", command)) <= options
    for target in re.findall(r"^make ([a-z_-]+)", script, re.MULTILINE):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_the_python_block_runs() -> None:
    for script in readme.blocks("python"):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=readme.ROOT, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.startswith(b"analytics gpt-4o 0.0002225\n")


def test_every_code_of_a_dead_letter_is_explained() -> None:
    explained = re.findall(r"^\| `([a-z_0-9]+)` \| [^|]+ \|$", README, re.MULTILINE)
    assert sorted(explained) == sorted(Code)


def test_every_make_target_is_in_the_readme_or_says_what_it_does() -> None:
    shown = readme.run("make help")
    for target in re.findall(r"^([a-z][a-z_-]+):", MAKEFILE, re.MULTILINE):
        assert f"  {target} " in shown


def test_every_path_that_the_readme_names_exists() -> None:
    for path in re.findall(r"`((?:dial_enricher|tests|benchmarks|deploy)/[\w/.]+)`", README):
        assert (readme.ROOT / path).exists(), path
