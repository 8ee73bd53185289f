"""The command `doctor` as a process, and the lines that it says."""

from collections.abc import Mapping
from pathlib import Path

from dial_enricher.doctor import Finding, Level
from tests.delivery import NO_PROXY, SECRETS
from tests.support import PLAIN, Done, run

TO_INFLUX = (*PLAIN, "--to", "influxdb")


class Report:
    """What the command said, by check."""

    def __init__(self, done: Done) -> None:
        self.code = done.code
        self.text = done.out.decode()
        self.findings = [_finding(one) for one in self.text.splitlines()]
        assert done.err == ""
        assert [secret for secret in SECRETS if secret in self.text] == []

    def check(self, name: str, level: str, *parts: str) -> None:
        """There is one line of this check, of this level, with these parts."""
        (found,) = [finding for finding in self.findings if finding.name == name]
        assert found.level == level, found
        assert [part for part in parts if part not in found.words] == [], found.words

    def check_code(self) -> None:
        """The exit code is that of a run whose settings make sense."""
        assert self.code == (1 if "FAIL" in [finding.level for finding in self.findings] else 0)

    @property
    def names(self) -> list[str]:
        return [finding.name for finding in self.findings]


def _finding(one: str) -> Finding:
    level, name, words = one[:4].rstrip(), one[6:18].rstrip(), one[20:]
    assert one == f"{level:<4}  {name:<12}  {words}"
    return Finding(Level(level), name, words)


def doctor(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Report:
    return Report(run("doctor", *arguments, env=NO_PROXY | dict(env or {})))


def plain(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Report:
    return doctor(*PLAIN, *arguments, env=env)
