"""A local HTTP server that fails as told."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Server:
    """Serves ``files`` by path; ``mood`` lists, by path, how the next answers fail.

    Moods: a status code; ``("after", code, seconds)``: a status code with Retry-After; ``("cut", n)``: closes the
    connection after n bytes; ``("stall", n)``: stops to send after n bytes; ``("shorter", n)``: n bytes, whatever the
    Range, and no Content-Length; ``("to", url)``: redirects; ``"whole"``: ignores Range; ``"wrong"``: wrong bytes;
    ``"longer"``: too many bytes, and no Content-Length; None: no failure.

    It is a proxy, too, that finds the files of all hosts here.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.mood: dict[str, list[object]] = {}
        self.asked: list[tuple[str, str, str | None]] = []  # method, path, Range
        self.logins: list[str | None] = []  # of clients that take it for a proxy
        self.url = ""
        self.closing = threading.Event()


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """Serve over HTTP, or over HTTPS with a certificate."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if self.path != urlsplit(self.path).path:
                server.logins.append(self.headers["Proxy-Authorization"])
            wanted = self.headers["Range"]
            server.asked.append((self.command, path, wanted))
            moods = server.mood.get(path)
            mood = moods.pop(0) if moods else None
            if isinstance(mood, tuple) and mood[0] == "after":
                self.send_response(mood[1])
                self.send_header("Retry-After", str(mood[2]))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if isinstance(mood, tuple) and mood[0] == "to":
                self.send_response(302)
                self.send_header("Location", mood[1])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if isinstance(mood, int) or path not in server.files:
                self.send_response(mood if isinstance(mood, int) else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = server.files[path]
            if mood == "wrong":
                content = bytes(byte ^ 1 for byte in content)
            ranged = wanted and mood != "whole" and not (isinstance(mood, tuple) and mood[0] == "shorter")
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if ranged else 0
            self.send_response(206 if begin else 200)
            for name, value in server.headers.get(path, {}).items():
                self.send_header(name, value)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            if mood == "longer" or (isinstance(mood, tuple) and mood[0] == "shorter"):
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content + b"more" if mood == "longer" else content[: mood[1]])
                self.close_connection = True
                return
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            if self.command == "HEAD":
                return
            content = content[begin:]
            if isinstance(mood, tuple):
                self.wfile.write(content[: mood[1]])
                self.wfile.flush()
                if mood[0] == "stall":
                    server.closing.wait(5)
                self.close_connection = True
                return
            self.wfile.write(content)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        http.socket = context.wrap_socket(http.socket, server_side=True)
    server.url = f"{'https' if certificate else 'http'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        http.shutdown()
        thread.join()
        http.server_close()
