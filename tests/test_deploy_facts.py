"""The ready configurations: what has to be so that no line is lost, cut or changed on its way."""

import re
from pathlib import Path
from typing import Any

from tests.hosts import commands
from tests.hosts.commands import Command, Place, parsed
from tests.hosts.formats import Tree, read
from tests.support import ROOT

LONGEST_LINE = 16 * 1024**2
UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def number(text: str) -> int:
    """Bytes, or seconds."""
    match = re.fullmatch(r"(\d+)([a-z]*)", text.lower().removesuffix("s"))
    assert match, text
    return int(match[1]) * UNITS[match[2]]


def command(words: list[str], tmp_path: Path) -> Command:
    return parsed(Place(tmp_path).words(words))


def only(values: list[Any]) -> Any:
    (value,) = values
    return value


def test_vector(tmp_path: Path) -> None:
    tree = read("vector.toml.example", "toml")
    source, sink = tree["sources"]["dial"], tree["sinks"]["store"]
    assert source["mode"] == "streaming"
    assert source["include_stderr"] is False, "each line on stderr would be a point"
    assert command(source["command"][1:], tmp_path).settings.log_file is not None, "so it needs a log file"
    assert (source["framing"]["method"], source["decoding"]["codec"]) == ("newline_delimited", "bytes")
    assert (sink["framing"]["method"], sink["encoding"]["codec"]) == ("newline_delimited", "text")
    assert sink["inputs"] == ["dial"]
    assert sink["uri"].endswith("/api/v2/write?org=my-org&bucket=dial&precision=ns")
    assert sink["batch"]["max_events"] <= 5000 and sink["batch"]["max_bytes"] <= 10_000_000
    assert sink["buffer"]["when_full"] == "block" and sink["buffer"]["max_size"] >= 268435488
    assert "acknowledgements" not in sink, "the source knows none"


def test_vector_with_pipes() -> None:
    tree = read("vector.toml.example", "toml", alternatives=True)
    assert tree["sources"]["dial_files"]["max_line_bytes"] > LONGEST_LINE
    sink = tree["sinks"]["to_the_program"]
    assert sink["inputs"] == ["dial_files"]
    assert (sink["target"], sink["encoding"]["codec"]) == ("stdout", "text")


def test_vector_finds_no_variable_to_expand() -> None:
    """Before 0.57 it looks for them in comments too, and refuses to start."""
    assert "$" not in (ROOT / "vector.toml.example").read_text()


def test_telegraf(tmp_path: Path) -> None:
    tree = read("deploy/telegraf.conf", "toml")
    source = only(tree["inputs"]["execd"])
    assert (source["signal"], source["data_format"]) == ("none", "influx")
    program = command(commands.telegraf(), tmp_path).settings
    assert (program.log_format, program.log_file) == ("telegraf", None)
    assert program.drain_time < 5, "killed 5 seconds after SIGTERM"
    assert tree["agent"]["omit_hostname"] is True and "global_tags" not in tree, "points would be others"
    assert "precision" not in tree["agent"] and "precision" not in source
    assert only(tree["outputs"]["influxdb_v2"])["token"] == "${INFLUX_API_TOKEN}"


def test_fluent_bit() -> None:
    tree = read("deploy/fluent-bit.yaml", "yaml")
    source, sink = only(tree["pipeline"]["inputs"]), only(tree["pipeline"]["outputs"])
    assert number(source["buffer_max_size"]) > LONGEST_LINE and source["skip_long_lines"] is False
    assert source["key"] in ("log", "message", "exec"), "what the program looks for"
    assert source["storage.type"] == "filesystem" and tree["service"]["storage.path"]
    assert (sink["match"], sink["format"]) == (source["tag"], "json_lines")


def fluentd_match(kind: str) -> Tree:
    matches = read("deploy/fluentd.conf", "fluentd", alternatives=True)["match"]
    match: Tree = only([one for one in matches if one["@type"] == kind])
    return match


def test_fluentd(tmp_path: Path) -> None:
    source = only(read("deploy/fluentd.conf", "fluentd")["source"])
    assert only(source["parse"])["@type"] == "none" and "max_line_size" not in source
    match = only(read("deploy/fluentd.conf", "fluentd")["match"])
    assert (match["@type"], match[""]) == ("exec", source["tag"])
    assert only(match["format"])["@type"] == "single_value"
    buffer = only(match["buffer"])
    assert number(buffer["chunk_limit_size"]) > LONGEST_LINE
    assert (buffer["@type"], buffer["overflow_action"], buffer["retry_forever"]) == ("file", "block", "true")
    assert "compress" not in buffer
    program = command(commands.fluentd("exec"), tmp_path).settings
    assert program.retry_time is not None and program.influx is not None
    assert program.retry_time + program.influx.timeout < number(match["command_timeout"]), (
        "it gives up by itself"
    )
    assert number(match["command_timeout"]) < number(buffer["delayed_commit_timeout"])


def test_fluentd_filter(tmp_path: Path) -> None:
    match = fluentd_match("exec_filter")
    assert number(only(match["buffer"])["chunk_limit_size"]) > LONGEST_LINE
    program = command(commands.fluentd("exec_filter"), tmp_path).settings
    assert program.drain_time < 10, "killed 10 seconds after SIGTERM"
    assert program.to == "influxdb" and program.log_file is not None


def test_logstash(tmp_path: Path) -> None:
    tree = read("deploy/logstash.conf", "logstash")
    pipe = only(tree["output"])["pipe"]
    assert (pipe["ttl"], pipe["message_format"]) == (0, "%{message}")
    assert "%{" not in pipe["command"]
    program = command(commands.logstash(), tmp_path).settings
    assert program.to == "influxdb", "nobody reads its standard output"
    assert program.log_file is not None


def test_systemd(tmp_path: Path) -> None:
    service = read("deploy/dial-enricher.service", "systemd")["Service"]
    program = command(commands.systemd(), tmp_path).settings
    assert program.follow and program.checkpoint and program.to == "influxdb"
    assert program.drain_time < number(service["TimeoutStopSec"])
    assert (service["SuccessExitStatus"], service["RestartPreventExitStatus"]) == ("143", "2")
    assert service["Restart"] == "on-failure"
    assert service["StateDirectory"] == "dial-enricher" and service["ProtectSystem"] == "strict"


def test_kubernetes(tmp_path: Path) -> None:
    tree = read("deploy/kubernetes.values.yaml", "yaml")
    sidecar = only(tree["initContainers"])
    program = command(commands.kubernetes(), tmp_path).settings
    assert program.follow and program.checkpoint and program.to == "influxdb"
    assert program.drain_time < tree["terminationGracePeriodSeconds"]
    assert sidecar["restartPolicy"] == "Always"
    writable = [mount["mountPath"] for mount in sidecar["volumeMounts"] if not mount.get("readOnly")]
    for path in (program.checkpoint, str(program.dead_letter)):
        assert any(path.startswith(f"{tmp_path}{folder}/") for folder in writable), path
    volumes = {volume["name"]: volume for volume in tree["extraVolumes"]}
    assert {mount["name"] for mount in sidecar["volumeMounts"]} - volumes.keys() == {"logs"}
    settings = {one["name"]: one.get("value") for one in sidecar["env"]}
    room = number(volumes["dial-enricher-state"]["emptyDir"]["sizeLimit"])
    assert int(settings["DIAL_ENRICHER_DEAD_LETTER_MAX"]) < room
    assert settings["INFLUX_API_TOKEN"] is None, "it comes from a secret"


def test_kubernetes_and_the_image() -> None:
    security = only(read("deploy/kubernetes.values.yaml", "yaml")["initContainers"])["securityContext"]
    assert security["readOnlyRootFilesystem"] and security["runAsNonRoot"]
    assert not security["allowPrivilegeEscalation"] and security["capabilities"] == {"drop": ["ALL"]}
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert f"USER {security['runAsUser']}:{security['runAsGroup']}\n" in dockerfile
    assert commands.entrypoint() == ["dial-enricher"], "the container has arguments only"
