"""Downloads on machines with proxies and certificates of their own, with a bad network or none, and with Ctrl-C."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from server import Server, serving

import fastdraw
from fastdraw import storage
from fastdraw.cli import main
from fastdraw.quickdraw.catalog import Category
from fastdraw.quickdraw.download import download_categories
from fastdraw.quickdraw.transfer import DEFAULT_OPTIONS, TransferOptions

CERTIFICATE = Path(__file__).parents[2] / "helpers/localhost.pem"  # of 127.0.0.1, with its key
CONTENT = bytes(range(250)) * 40
CAT = "/binary/cat.bin"
QUICK = TransferOptions(waits=(0.001,) * 5, first_waits=(0.001,) * 2, timeout=5, block=1000)


def category(name: str) -> Category:
    return Category(name, 1, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), 0, "")


def fetch(folder: Path, url: str, *names: str) -> list[Path]:
    return download_categories([category(name) for name in names or ("cat",)], folder, base_url=url, options=QUICK)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.files[CAT] = CONTENT
        yield server


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_proxies(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    address = server.url.removeprefix("http://")
    monkeypatch.setenv(variable, f"http://me:s%40crt@{address}")
    (path,) = fetch(tmp_path / "a", "http://quickdraw.invalid")
    assert path.read_bytes() == CONTENT
    assert server.logins == ["Basic bWU6c0BjcnQ="]  # me:s@crt
    monkeypatch.setenv("NO_PROXY", "other.invalid,.invalid")
    with pytest.raises(fastdraw.FastdrawError, match="no such host"):
        fetch(tmp_path / "b", "http://quickdraw.invalid")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv(variable, address)  # curl takes this, too
    fetch(tmp_path / "b", "http://quickdraw.invalid")
    assert len(server.logins) == 2


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with serving(CERTIFICATE) as server:
        server.files[CAT] = CONTENT
        with pytest.raises(fastdraw.FastdrawError, match=r"its certificate is not trusted: self.signed"):
            fetch(tmp_path, server.url)
        assert server.asked == []
        monkeypatch.setenv(variable, str(CERTIFICATE))
        assert fetch(tmp_path, server.url)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SSL_CERT_FILE", "/missing", "SSL_CERT_FILE: expected a file of certificates, received '/missing'"),
        ("REQUESTS_CA_BUNDLE", "/missing", "REQUESTS_CA_BUNDLE: expected a file of certificates"),
        ("http_proxy", "ftp://127.0.0.1", "http_proxy: expected the address of a proxy: .*ftp"),
        ("http_proxy", "http://[", "http_proxy: expected the address of a proxy"),
    ],
)
def test_variables_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(fastdraw.FastdrawError, match=message):
        fetch(tmp_path, "http://127.0.0.1:9")


def test_a_server_that_cannot_be_reached_ends_all_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(fastdraw.FastdrawError, match=r"no such host \(9 of 9 files are missing\); run it again"):
        fetch(tmp_path, "http://quickdraw.invalid", *map(str, range(9)))
    assert caplog.messages == []
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(fastdraw.FastdrawError, match="gave up after 3 attempts: the proxy: Connection refused"):
        fetch(tmp_path, "http://quickdraw.invalid", *map(str, range(9)))
    assert len(caplog.messages) <= 2 * 4  # threads
    assert caplog.messages[0].endswith(": the proxy: Connection refused; attempt 2 of 3 in 0.001 s")


def test_each_retry_is_a_line(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.mood[CAT] = [503, ("cut", 5000), ("cut", 1000)]
    fetch(tmp_path, server.url)
    assert [message.split("; ")[1] for message in caplog.messages] == [
        f"attempt {number} of 6 in 0.001 s" for number in (2, 2, 2)
    ]
    assert caplog.messages[0].startswith("cat.bin: the server answered 503")
    assert caplog.messages[1].startswith("cat.bin: the connection was lost;")


@pytest.mark.parametrize(
    ("mood", "message", "requests"),
    [
        (("shorter", 6000), "gave up after 6 attempts: expected 10,000 bytes, received 6,000", 6),
        ("longer", "gave up after 6 attempts: expected 10,000 bytes, received more", 6),
        (("to", CAT), "too many redirects", 6),
        (("to", "ftp://127.0.0.1/cat.bin"), "ftp", 1),
        (None, "expected a file of 10,000 bytes, the server has 6,000", 1),
    ],
)
def test_every_loop_ends(server: Server, tmp_path: Path, mood: object, message: str, requests: int) -> None:
    """The server has another file, has no ranges, or sends from one address to another."""
    server.mood[CAT] = [mood] * 99
    if mood is None:
        server.files[CAT] = CONTENT[:6000]
    with pytest.raises(fastdraw.FastdrawError, match=message):
        fetch(tmp_path, server.url)
    assert len(server.asked) == requests


@pytest.mark.parametrize("sent", [0, 3500])
def test_ctrl_c_ends_at_once_and_keeps_the_bytes(server: Server, tmp_path: Path, sent: int) -> None:
    server.mood[CAT] = [("stall", sent)]
    main_thread = threading.main_thread().ident
    threading.Timer(0.3, signal.pthread_kill, [main_thread, signal.SIGINT]).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, server.url)
    assert time.monotonic() - began < 1.3
    assert (tmp_path / ".cat.bin.part").read_bytes() == CONTENT[:sent]
    fetch(tmp_path, server.url)
    assert (tmp_path / "cat.bin").read_bytes() == CONTENT


def test_two_downloads_at_once(server: Server, tmp_path: Path) -> None:
    server.mood[CAT] = [("cut", 5000)]
    threads = [threading.Thread(target=fetch, args=(tmp_path, server.url)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "cat.bin").read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_complete_folder_that_is_read_only(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(tmp_path, server.url)

    def refuse(lock: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".lock"))

    monkeypatch.setattr(storage.filelock.FileLock, "acquire", refuse)
    monkeypatch.setattr(storage.os, "access", lambda path, mode: False)
    assert fetch(tmp_path, server.url) == [tmp_path / "cat.bin"]
    monkeypatch.undo()
    monkeypatch.setattr(storage.filelock.FileLock, "acquire", refuse)
    with pytest.raises(PermissionError):  # another user's lock in a folder that can be written to
        fetch(tmp_path, server.url)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["download", "cat", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("url", ["htp://x", "http://[x", "https://", "x"])
def test_the_command_names_its_option(tmp_path: Path, url: str) -> None:
    status, output = run("--dest", tmp_path / "new", "--base-url", url)
    assert (status, len(output.splitlines())) == (1, 1)
    assert output.startswith("fastdraw: expected --base-url to begin with http:// or https://")


def test_the_command_prints_retries(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEFAULT_OPTIONS.__dict__, "waits", (0.001,))
    server.files["/simplified/cat.ndjson"] = b"{}"
    arguments = ["--dest", tmp_path, "--base-url", server.url, "--format", "simplified"]
    server.mood["/simplified/cat.ndjson"] = [503]
    status, output = run(*arguments)
    assert status == 0
    assert output.startswith(
        "fastdraw: cat.ndjson: the server answered 503 Service Unavailable; attempt 2 of 2 in 0.001 s\n"
    )
    server.mood["/simplified/cat.ndjson"] = [503]
    assert run(*arguments, "--quiet") == (0, "")


def test_the_command_says_how_to_resume(server: Server, tmp_path: Path) -> None:
    server.mood["/simplified/cat.ndjson"] = [None, ("stall", 0)]  # HEAD, GET
    server.files["/simplified/cat.ndjson"] = b"{}"
    threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
    status, output = run("--dest", tmp_path, "--base-url", server.url, "--format", "simplified")
    assert (status, output) == (130, "fastdraw: interrupted; run the same command again to resume\n")
