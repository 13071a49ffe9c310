"""HTTP jobs against a local server."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jobrunner.domain.job import HttpRequest
from jobrunner.domain.params import Param, ParamType
from jobrunner.execution import Control, Failed, NotStarted, Stopped, StopReason, Succeeded, TimedOut


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))  # type: ignore[attr-defined]
        status, headers, body = self.server.answers.get(self.path.partition("?")[0], (200, {}, b""))  # type: ignore[attr-defined]
        if body is None:
            self.server.release.wait(30)  # type: ignore[attr-defined]
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def web() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.seen, server.answers, server.release = [], {}, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_body_is_output_and_its_json_the_result(bench: Any, web: Any) -> None:
    web.answers["/ok"] = (201, {"Content-Type": "application/json"}, b'{"a": [1, null]}')
    outcome = bench.run(HttpRequest(url=web.url + "/ok"), spec={"run_id": 77})
    assert isinstance(outcome, Succeeded)
    assert outcome.result == {"a": [1, None]}
    assert bench.sink.stdout == b'{"a": [1, null]}'
    assert bench.sink.stderr == b""
    method, path, headers, _ = web.seen[0]
    assert (method, path, headers["Idempotency-Key"]) == ("GET", "/ok", "77")
    assert headers["User-Agent"].startswith("jobrunner")


def test_parameters_go_where_they_are_named(bench: Any, web: Any) -> None:
    kind = HttpRequest(
        url=web.url + "/items/{id}?q={q}",
        method="post",
        headers={"X-Id": "no {id}", "idempotency-key": "mine"},
        json={"id": "{id}", "text": "id {id} {{}}", "list": ["{ids}"], "n": 1},
    )
    params = (Param(name="id", type=ParamType.INT), Param(name="q"), Param(name="ids", type=ParamType.JSON))
    spec = bench.spec(bench.job(kind, params=params), params={"id": 7, "q": "a b/c&d", "ids": [1, 2]})
    assert isinstance(bench.execution.execute(spec, Control(), bench.sink), Succeeded)
    method, path, headers, body = web.seen[0]
    assert (method, path) == ("POST", "/items/7?q=a%20b%2Fc%26d")
    assert headers["X-Id"] == "no 7"
    assert [value for name, value in headers.items() if name.lower() == "idempotency-key"] == ["mine"]
    assert json.loads(body) == {"id": 7, "text": "id 7 {}", "list": [[1, 2]], "n": 1}


def test_a_text_body(bench: Any, web: Any) -> None:
    bench.run(HttpRequest(url=web.url + "/", method="PUT", body="x={x}"), {"x": "é"})
    assert web.seen[0][3] == "x=é".encode()


def test_an_unknown_name_sends_nothing(bench: Any, web: Any) -> None:
    outcome = bench.run(HttpRequest(url=web.url + "/{nobody}"))
    assert isinstance(outcome, NotStarted)
    assert "{nobody}" in outcome.error
    assert web.seen == []


@pytest.mark.parametrize(
    ("headers", "body", "result"),
    [
        ({"Content-Type": "text/plain; charset=utf-8"}, "é".encode(), "é"),
        ({"Content-Type": "text/plain; charset=latin-1"}, b"\xe9", "é"),
        ({"Content-Type": "application/problem+json"}, b"[1]", [1]),
        ({"Content-Type": "application/json"}, b"not json", "not json"),
        ({"Content-Type": "application/json"}, b"NaN", "NaN"),
        ({}, b'{"guessed": true}', {"guessed": True}),
        ({}, b"", None),
        ({"Content-Type": "image/png"}, b"\x89PNG", None),
        ({"Content-Type": "text/plain"}, b"\xff\xfe", None),
        ({"Content-Type": "text/plain"}, b"x" * (1024 * 1024 + 1), None),
        ({"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"packed", mtime=0), "packed"),
    ],
)
def test_what_is_a_result(bench: Any, web: Any, headers: dict[str, str], body: bytes, result: Any) -> None:
    web.answers["/"] = (200, headers, body)
    outcome = bench.run(HttpRequest(url=web.url + "/"))
    assert isinstance(outcome, Succeeded)
    assert outcome.result == result
    assert bench.sink.stdout == (b"packed" if "Content-Encoding" in headers else body)


def test_redirects_are_followed(bench: Any, web: Any) -> None:
    web.answers["/old"] = (302, {"Location": "/new"}, b"")
    web.answers["/new"] = (200, {}, b"3")
    assert bench.run(HttpRequest(url=web.url + "/old")).result == 3


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/round", "GET http://127.0.0.1:PORT/round failed: more than 20 redirects"),
        ("file:///etc/passwd", "failed: Request URL has an unsupported protocol 'file://'."),
        ("http://[", "failed: "),
    ],
)
def test_a_redirect_leads_neither_round_nor_to_files(bench: Any, web: Any, location: str, words: str) -> None:
    web.answers["/round"] = (302, {"Location": location}, b"")
    outcome = bench.run(HttpRequest(url=web.url + "/round"))
    assert isinstance(outcome, Failed)
    assert words.replace("PORT", str(web.server_port)) in outcome.error
    assert "root:" not in outcome.error + bench.sink.stdout.decode()
    assert len(web.seen) <= 21


SECRET_HEADERS = {"Authorization": "Bearer abc", "X-Api-Key": "key s3cret", "X-Plain": "x"}


def test_a_redirect_takes_no_secret_to_another_host(bench: Any, web: Any) -> None:
    web.answers["/here"] = (302, {"Location": f"http://localhost:{web.server_port}/there"}, b"")
    request = HttpRequest(url=web.url + "/here", headers=SECRET_HEADERS)
    assert isinstance(bench.run(request, spec={"secrets": ("s3cret",)}), Succeeded)
    (first, second) = [headers for _, _, headers, _ in web.seen]
    assert first.items() >= SECRET_HEADERS.items()
    assert {name for name in SECRET_HEADERS if name in second} == {"X-Plain"}
    web.seen.clear()
    web.answers["/here"] = (302, {"Location": "/there"}, b"")
    assert isinstance(bench.run(request, spec={"secrets": ("s3cret",)}), Succeeded)
    assert web.seen[1][2].items() >= SECRET_HEADERS.items()


def test_a_body_that_unpacks_to_far_more_is_output_and_no_result(bench: Any, web: Any) -> None:
    packed = gzip.compress(b"0" * (8 * 1024 * 1024))
    web.answers["/bomb"] = (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, packed)
    outcome = bench.run(HttpRequest(url=web.url + "/bomb"))
    assert isinstance(outcome, Succeeded)
    assert outcome.result is None
    assert len(bench.sink.stdout) == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("status", "expect", "error"),
    [
        (503, (), "HTTP 503 Service Unavailable"),
        (404, (), "HTTP 404 Not Found"),
        (200, (204,), "HTTP 200 OK"),
        (404, (200, 404), None),
        (299, (), None),
    ],
)
def test_statuses(bench: Any, web: Any, status: int, expect: tuple[int, ...], error: str | None) -> None:
    web.answers["/"] = (status, {"Content-Type": "text/plain"}, b"why")
    outcome = bench.run(HttpRequest(url=web.url + "/", expect=expect))
    assert bench.sink.stdout == b"why"
    assert getattr(outcome, "error", None) == error
    assert isinstance(outcome, Failed if error else Succeeded)


@pytest.mark.parametrize(
    ("request_", "words", "name"),
    [
        (HttpRequest(url="http://127.0.0.1:1/x?a=1"), "127.0.0.1:1/x failed: Connection refused", "ConnectError"),
        (HttpRequest(url="ftp://127.0.0.1/"), "failed: Request URL has an unsupported protocol", "UnsupportedProtocol"),
        (HttpRequest(url="http://127.0.0.1:port/"), "failed: Invalid port", "InvalidURL"),
        (HttpRequest(url="http://127.0.0.1:1/", headers={"X": "é\n"}), "GET http://127.0.0.1:1/", ""),
    ],
)  # fmt: skip
def test_no_answer_is_one_line(bench: Any, request_: HttpRequest, words: str, name: str) -> None:
    outcome = bench.run(request_)
    assert isinstance(outcome, Failed)
    assert words in outcome.error
    assert "\n" not in outcome.error
    assert not name or name in outcome.exceptions
    assert bench.sink.stderr == b""


def test_a_timeout_ends_a_hanging_request(bench: Any, web: Any) -> None:
    web.answers["/"] = (200, {}, None)
    outcome = bench.run(
        HttpRequest(url=web.url + "/"), timeout=timedelta(milliseconds=500), kill_grace=timedelta(minutes=5)
    )
    assert isinstance(outcome, TimedOut)
    assert not outcome.killed


def test_a_cancel_ends_a_hanging_request(bench: Any, web: Any) -> None:
    web.answers["/"] = (200, {}, None)
    control = Control()

    def cancel_when_asked() -> None:
        while not web.seen:
            web.release.wait(0.005)
        control.stop(StopReason.CANCELLED)

    thread = threading.Thread(target=cancel_when_asked)
    thread.start()
    outcome = bench.run(HttpRequest(url=web.url + "/"), control=control, kill_grace=timedelta(minutes=5))
    thread.join()
    assert isinstance(outcome, Stopped)
    assert not outcome.killed


def test_secrets_are_masked(bench: Any, web: Any) -> None:
    web.answers["/"] = (200, {}, b"token s3cr3t-value is fine")
    bench.run(HttpRequest(url=web.url + "/"), spec={"secrets": ("s3cr3t-value",)})
    assert bench.sink.stdout == b"token *** is fine"
