"""Real processes: settings from flags, environment and files."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from dial_enricher import cli, topics_cli
from tests import lp, tiny_model
from tests.support import (
    OWN_NAMES,
    PLAIN,
    ROOT,
    SAMPLE,
    Done,
    changed,
    check_refused,
    line,
    log,
    run,
    start,
    through,
)

ONE = line(log())
ONE_POINT = through(ONE).out
BAD = b"no json\n"

OPTIONS = {
    option.name: option for option in cli.enrich.params if isinstance(option, click.Option) and option.name
}
SETTABLE = {name: option for name, option in OPTIONS.items() if name != "help"}


def variable(name: str) -> str:
    return name.upper() if name.upper() in OWN_NAMES else "DIAL_ENRICHER_" + name.upper()


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


# Wrong values

WRONG = {
    "checkpoint": "/nonexistent/state",
    "follow": "perhaps",
    "ack": "syslog",
    "recursive": "perhaps",
    "shard": "8/8",
    "since": "yesterday",
    "until": "2026-13-01",
    "where": "language=de",
    "jobs": "0",
    "workers": "0",
    "env_file": "/nonexistent/env",
    "to": "postgres",
    "output": "/nonexistent/points",
    "influx_version": "4",
    "influx_token_file": "/nonexistent/token",
    "influx_ca": "/nonexistent/ca.pem",
    "influx_timeout": "0",
    "retry_time": "-1",
    "drain_time": "-1",
    "schema": "fat",
    "tag": "price",
    "no_tag": "colour",
    "format": "xml",
    "language": "maybe",
    "languages": "en,klingon",
    "language_accuracy": "medium",
    "topics": "some",
    "topic_model": "/nonexistent/model",
    "topic_embeddings_model": "/nonexistent/embeddings",
    "rates": "/nonexistent/rates.json",
    "dead_letter": "/nonexistent/letters",
    "dead_letter_content": "perhaps",
    "dead_letter_max": "0",
    "strict": "perhaps",
    "max_line_bytes": "0",
    "batch_lines": "none",
    "max_delay": "-1",
    "summary": "often",
    "summary_file": "/nonexistent/summary",
    "progress": "sometimes",
    "log_level": "loud",
    "log_format": "xml",
    "log_file": "/nonexistent/log",
}
"""A value of each option that makes no sense; for a path one that cannot be opened."""


def test_the_options_are_these() -> None:
    """A new option needs a wrong value here, so that its flag and its variable are tried."""
    assert set(SETTABLE) == set(WRONG)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_from_flag_and_environment(name: str) -> None:
    names = (variable(name), flag(name), WRONG[name].rpartition(",")[2])
    assert SETTABLE[name].envvar == variable(name)
    plain = () if name.startswith(("language", "topic")) else PLAIN
    check_refused(run(*plain, stdin=ONE, env={variable(name): WRONG[name]}), *names)
    if not SETTABLE[name].is_flag:
        check_refused(run(*plain, flag(name), WRONG[name], stdin=ONE), *names)


@pytest.mark.parametrize("name", ["max_delay", "drain_time", "retry_time", "influx_timeout"])
def test_a_time_that_is_no_number_is_refused(name: str) -> None:
    env = {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_DATABASE": "d"}
    done = run(*PLAIN, "--to", "influxdb", flag(name), "nan", stdin=ONE, env=env)
    check_refused(done, name, flag(name))


def test_the_help_names_every_option_and_variable() -> None:
    told = re.sub(r"\s+", " ", run("enrich", "--help").out.decode())
    for name in SETTABLE:
        assert flag(name) in told
        assert variable(name) in told
    assert "MODEL_RATES" in told


TOPIC_COMMANDS = {"list": (), "assign": ("x",), "evaluate": ("-",), "map": ("--output", "-")}
"""Commands that take a topic model, and what else they need."""


@pytest.mark.parametrize("command", TOPIC_COMMANDS)
@pytest.mark.parametrize("name", ["env_file", "topic_model", "topic_embeddings_model"])
def test_the_commands_for_topics_take_their_model_as_enrich_does(command: str, name: str) -> None:
    options = {option.name: option for option in topics_cli.topics.commands[command].params}
    assert options[name].to_info_dict() == OPTIONS[name].to_info_dict()
    call = ("topics", command, *TOPIC_COMMANDS[command])
    names = (variable(name), flag(name), WRONG[name])
    check_refused(run(*call, env={variable(name): WRONG[name]}), *names)
    check_refused(run(*call, flag(name), WRONG[name]), *names)


def test_a_format_of_enrich_is_none_of_the_commands_for_topics(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path)
    done = run("topics", "list", "--topic-model", model, env={"DIAL_ENRICHER_FORMAT": "json"})
    assert done.out.startswith(b"id  label")


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["--format"], ["--dead-letter-content"], ["--max-delay", "x"]]
)
def test_a_wrong_call_is_refused(arguments: list[str]) -> None:
    check_refused(run(*PLAIN, *arguments, stdin=ONE), arguments[0])


# The environment

CLEAR: dict[str, tuple[str, Callable[[Done], object]]] = {
    "format": ("json", lambda done: json.loads(done.lines[0])["measurement"]),
    "strict": ("true", lambda done: done.code == 3),
    "max_line_bytes": ("10", lambda done: done.out == b"" and "line_too_long" in done.err),
    "summary": ("never", lambda done: "lines=" not in done.err),
    "log_level": ("error", lambda done: "WARNING" not in done.err),
    "log_format": ("telegraf", lambda done: done.err.startswith("W! ")),
    "dead_letter": ("-", lambda done: '"sha256"' in done.err),
    "schema": ("lean", lambda done: b'trace_id="' in done.out),
    "tag": ("user_hash,chat_id", lambda done: b"chat_id=chat-1" in done.out and b",user_hash=" in done.out),
    "no_tag": ("trace_id", lambda done: b'trace_id="' in done.out),
}
"""Options whose effect shows at once."""


@pytest.mark.parametrize("name", CLEAR)
def test_a_variable_has_the_effect_of_its_flag(name: str, tmp_path: Path) -> None:
    value, shows = CLEAR[name]
    env_file = tmp_path / ".env"
    env_file.write_text(f"# settings\n{variable(name)}={value}\n")
    data = ONE + BAD
    by_flag = run(*PLAIN, flag(name), *([] if SETTABLE[name].is_flag else [value]), stdin=data)
    by_variable = run(*PLAIN, stdin=data, env={variable(name): value})
    by_file = run(*PLAIN, "--env-file", env_file, stdin=data)
    assert not shows(run(*PLAIN, stdin=data)) if name != "format" else True
    for done in (by_flag, by_variable, by_file):
        assert shows(done)
        assert (done.code, done.out) == (by_flag.code, by_flag.out)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("DIAL_ENRICHER_FORMAT=json\n")
    env = {"DIAL_ENRICHER_FORMAT": "lp", "DIAL_ENRICHER_ENV_FILE": str(env_file)}
    assert run(*PLAIN, stdin=ONE, env={"DIAL_ENRICHER_ENV_FILE": str(env_file)}).out[:1] == b"{"
    assert run(*PLAIN, stdin=ONE, env=env).out == ONE_POINT
    assert run(*PLAIN, "--format", "JSON", stdin=ONE, env=env).out[:1] == b"{"


RATES = json.dumps({"gpt": {"unit": "token", "prompt_price": "0.5", "completion_price": "2"}})
UNPRICED = line(changed(log(), "token_usage", {"prompt_tokens": 22, "completion_tokens": 3}))


def prices(done: Done) -> list[object]:
    assert (done.code, done.err) == (0, "")
    return [lp.parse(one).fields["price"] for one in done.lines]


def test_a_dollar_in_an_environment_file_is_a_dollar(tmp_path: Path) -> None:
    """As in a password."""
    file = tmp_path / ".env"
    file.write_text("DIAL_ENRICHER_LOG_LEVEL=${HOME}\n")
    check_refused(run(*PLAIN, "--env-file", file, stdin=ONE), "${HOME}")


def test_rates_come_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file, env_file = tmp_path / "rates.json", tmp_path / ".env"
    file.write_text(RATES)
    env_file.write_text(f"MODEL_RATES='{RATES}'\n")
    other = {"MODEL_RATES": RATES.replace("0.5", "0.25")}
    assert prices(run(*PLAIN, stdin=UNPRICED)) == [0]
    assert prices(run(*PLAIN, stdin=UNPRICED, env={"MODEL_RATES": RATES})) == [17]
    assert prices(run(*PLAIN, stdin=UNPRICED, env={"MODEL_RATES": "  "})) == [0]
    assert prices(run(*PLAIN, "--env-file", env_file, stdin=UNPRICED)) == [17]
    assert prices(run(*PLAIN, stdin=UNPRICED, env={"DIAL_ENRICHER_RATES": str(file)})) == [17]
    assert prices(run(*PLAIN, "--rates", file, stdin=UNPRICED, env=other)) == [17]


@pytest.mark.parametrize(
    "rates",
    [
        "{",
        "[]",
        "\xff",
        '{"gpt": 1}',
        '{"gpt": {"unit": "word"}}',
        RATES.replace("0.5", "x"),
        RATES.replace("0.5", "1e100"),
    ],
)
def test_unreadable_rates_are_refused(rates: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.json"
    file.write_text(rates, "latin-1")
    check_refused(run(*PLAIN, "--rates", file, stdin=ONE), str(file))
    if rates.isascii():
        check_refused(run(*PLAIN, stdin=ONE, env={"MODEL_RATES": rates}), "MODEL_RATES")


def test_languages_can_be_few() -> None:
    done = run("--languages", "de, EN", "--topics", "off", stdin=SAMPLE.read_bytes())
    languages = {lp.parse(one).tags.get("language", "undefined") for one in done.lines}
    assert {"de", "en"} <= languages <= {"de", "en", "undefined"}


# Completion


def completed(*words: str) -> list[str]:
    env = {
        "_DIAL_ENRICHER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("dial-enricher", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = run(env=env)
    assert (done.code, done.err) == (0, "")
    return [one.partition(",")[2] for one in done.out.decode().split()]


def test_completion_knows_commands_options_and_values() -> None:
    assert "schema" in completed("sc")
    assert set(completed("topics", "")) >= {"list", "assign", "evaluate", "map"}
    assert {"--language", "--languages"} <= set(completed("--lang"))
    assert set(completed("--format", "")) == {"lp", "json"}
    assert set(completed("enrich", "--summary", "a")) == {"always", "auto"}


def test_the_completion_script_is_bash() -> None:
    done = run(env={"_DIAL_ENRICHER_COMPLETE": "bash_source"})
    assert (done.code, done.err) == (0, "")
    checked = start("-c", f"{done.out.decode()}\ncomplete -p dial-enricher", program=["bash"])
    out, err = checked.communicate()
    assert (checked.returncode, err) == (0, b"")
    assert b"dial-enricher" in out


# The example of an environment file

EXAMPLE = (ROOT / ".env.example").read_text("utf-8")


def test_the_example_file_changes_nothing() -> None:
    assert run(*PLAIN, "--env-file", ROOT / ".env.example", stdin=ONE) == (0, ONE_POINT, "")


def test_the_example_file_names_every_variable_and_its_default() -> None:
    named = dict(re.findall(r"^# ([A-Z_0-9]+)=(.*)$", EXAMPLE, re.MULTILINE))
    ours = {variable(name): option for name, option in SETTABLE.items() if name != "env_file"}
    assert set(named) == set(ours) | set(OWN_NAMES)
    for name, option in ours.items():
        default = option.to_info_dict()["default"]
        if default not in (None, ()) and not isinstance(option.type, click.Path):
            shown = option.type.convert(named[name], option, None)
            assert shown == option.type.convert(default, option, None), name


def test_the_example_file_can_be_filled_in(tmp_path: Path) -> None:
    """Each line, without its #, is a setting that the program takes."""
    file = tmp_path / ".env"
    kept = [
        one
        for one in EXAMPLE.splitlines()
        if not re.match("# .*(/|TOPIC|LANGUAGES|INFLUX_(ORG|BUCKET))", one)
    ]
    lines = [one.removeprefix("# ") for one in kept]
    file.write_text("\n".join(lines) + "\nINFLUX_URL=http://127.0.0.1:1\n")
    done = run(*PLAIN, "--to", "influxdb", "--env-file", file, "--retry-time", "0", stdin=ONE)
    assert (done.code, done.out) == (4, b"")
    assert "connection refused" in done.err
