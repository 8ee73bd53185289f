"""The ways to a server: certificates and proxies."""

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.delivery import Sender, check_stored, mixed, sender
from tests.faults import proxy
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.server import serving
from tests.influxd import Influx
from tests.support import check_refused, finish

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
TWO = DIALECTS[1]
SMALL = mixed(60)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def self_signed(directory: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key, certificate, both = (directory / name for name in ("key.pem", "certificate.pem", "both.pem"))
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=influx".split()
    subprocess.run(
        ["openssl", *command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@EACH
@pytest.mark.parametrize("version", ["told", "auto"])
def test_a_certificate_that_is_trusted(
    version: str, dialect: Dialect, certificate: Path, influx: Influx, database: str, tmp_path: Path
) -> None:
    with serving(dialect, influx, database, tls=tls(certificate)) as server:
        asking = ("--influx-version", "auto") if version == "auto" else ()
        program = sender(server, tmp_path, "--influx-ca", str(certificate), *asking)
        done = program.send(SMALL.data)
        assert done.code == 0, done.err
    check_stored(influx, database, SMALL.rows)


@pytest.mark.parametrize("trust", ["system", "another", "no_name"])
def test_a_certificate_that_is_not_trusted(
    trust: str, certificate: Path, influx: Influx, database: str, tmp_path: Path
) -> None:
    options = {
        "system": (),
        "another": ("--influx-ca", str(self_signed(tmp_path))),
        "no_name": ("--influx-ca", str(certificate)),
    }[trust]
    with serving(TWO, influx, database, tls=tls(certificate)) as server:
        program = sender(server, tmp_path, *options)
        if trust == "no_name":
            program.env["INFLUX_URL"] = server.url.replace("127.0.0.1", "localhost")
        program.check_stopped(program.send(SMALL.data), "certificate", "--influx-ca")
        assert not server.requests
    program.check_dead(SMALL, "undelivered", SMALL.good)


def test_certificates_that_cannot_be_read(influx: Influx, database: str, tmp_path: Path) -> None:
    file = tmp_path / "certificates"
    for content in (None, b"no certificate"):
        if content is not None:
            file.write_bytes(content)
        with serving(TWO, influx, f"{database}_{content is None}") as server:
            program = sender(server, tmp_path, "--influx-ca", str(file))
            check_refused(finish(program.start(), SMALL.data), str(file))


@pytest.mark.parametrize("secure", [False, True])
def test_the_proxy_of_the_environment(
    secure: bool, certificate: Path, influx: Influx, database: str, tmp_path: Path
) -> None:
    with (
        serving(TWO, influx, database, tls=tls(certificate) if secure else None) as server,
        proxy.proxying(server.port) as between,
    ):
        program = sender(server, tmp_path, *(("--influx-ca", str(certificate)) if secure else ()))
        url = server.url if secure else "http://influx.invalid:8086"
        program.env |= {"INFLUX_URL": url, "http_proxy": between.url, "https_proxy": between.url}
        done = program.send(SMALL.data)
        assert done.code == 0, done.err
        check_says_not(program, done.err, proxy.PASSWORD)
        assert between.asked
    check_stored(influx, database, SMALL.rows)


def test_a_proxy_that_does_not_know_us(influx: Influx, database: str, tmp_path: Path) -> None:
    wrong = "wr0ng-s3cret"
    with serving(TWO, influx, database) as server, proxy.proxying(server.port) as between:
        program = sender(server, tmp_path)
        program.env |= {"http_proxy": between.url.replace(proxy.PASSWORD, wrong)}
        done = program.send(SMALL.data)
        program.check_stopped(done, "407", "proxy")
        check_says_not(program, done.err, wrong)
        assert not server.requests
    program.check_dead(SMALL, "undelivered", SMALL.good)


def test_no_proxy_where_none_is_wanted(influx: Influx, database: str, tmp_path: Path) -> None:
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path)
        program.env |= {"http_proxy": "http://127.0.0.1:1", "no_proxy": "example.org,127.0.0.1"}
        assert program.send(SMALL.data).code == 0
    check_stored(influx, database, SMALL.rows)


def check_says_not(program: Sender, err: str, secret: str) -> None:
    assert secret not in err + program.log_file.read_text() + program.letters_text
