"""The README says what is so: its commands are run, its tables are compared with the program."""

import re
import subprocess
import sys

import pytest
import yaml

from dial_enricher.cli import enrich
from dial_enricher.errors import Code
from dial_enricher.sinks.influx.fates import DISTRUSTED, FATES, NO_ANSWER, Answer, Fate, fate
from tests import readme

README = readme.PATH.read_text()
MAKEFILE = (readme.ROOT / "Makefile").read_text()


def test_console_blocks_and_tables_are_what_the_program_prints() -> None:
    assert readme.rewritten(README) == README, "run `make docs` and review the difference"


@pytest.mark.parametrize("script", readme.blocks("sh"))
def test_a_shell_block_is_shell_with_options_and_targets_that_exist(script: str) -> None:
    assert subprocess.run(["bash", "-n"], input=script.encode(), timeout=60).returncode == 0
    whole = script.replace("\\\n", " ")
    for command, rest in re.findall(r"\bdial-enricher (?:(doctor|replay) )?(.*)", whole):
        options = readme.run(f"dial-enricher {command or 'enrich'} --help")
        for name in re.findall(r"--[a-z-]+", re.split("[|>#]", rest)[0]):
            assert f"{name} " in options, f"{command}: {name}"
    for target in re.findall(r"^make ([a-z_-]+)", script, re.MULTILINE):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_the_python_block_runs() -> None:
    for script in readme.blocks("python"):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=readme.ROOT, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.startswith((b"analytics gpt-4o 0.0002225\n", b"analytics,core_parent_span_id="))


def test_the_job_of_kubernetes_runs_a_command_that_exists() -> None:
    (job,) = map(yaml.safe_load, readme.blocks("yaml"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    command, *words = [word.replace("$(JOB_COMPLETION_INDEX)", "7") for word in container["args"]]
    with enrich.make_context(command, words) as context:
        assert context.params["files"] == ("/archive",)
        assert (context.params["shard"], context.params["jobs"]) == ("7/8", 2)
    volumes = {volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes == {mount["name"] for mount in container["volumeMounts"]}


def test_every_code_of_a_dead_letter_is_explained() -> None:
    explained = re.findall(r"^\| `([a-z_0-9]+)` \| [^|]+ \|$", README, re.MULTILINE)
    assert sorted(explained) == sorted(Code)


def test_the_table_of_answers_is_what_the_program_does() -> None:
    section = README.partition("| answer | fate |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in section.splitlines()[2:]]
    fates = (Fate.STORED, Fate.REFUSED, Fate.TOO_LARGE, Fate.AWAY, Fate.MISCONFIGURED)
    told = dict.fromkeys(range(500, 600), Fate.AWAY) if "other 5xx" in rows[3] else {}
    for row, kind in zip(rows, fates, strict=True):
        told |= {int(number): kind for number in re.findall(r"\b\d{3}\b", row.partition(";")[0])}
    body = b'{"error":"in the form of InfluxDB"}'
    assert {status: fate(Answer(status, body)) for status in told} == told
    silent = {NO_ANSWER, DISTRUSTED} | {n for n, kind in FATES.items() if kind is Fate.MISCONFIGURED}
    assert set(FATES) - silent <= set(told)


def test_every_make_target_is_in_the_readme_or_says_what_it_does() -> None:
    shown = readme.run("make help")
    for target in re.findall(r"^([a-z][a-z_-]+):", MAKEFILE, re.MULTILINE):
        assert f"  {target} " in shown


def test_every_path_that_the_readme_names_exists() -> None:
    for path in re.findall(r"`((?:dial_enricher|tests|benchmarks|deploy)/[\w/.]+)`", README):
        assert (readme.ROOT / path).exists(), path
