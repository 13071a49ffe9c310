"""HTTP jobs: the request is made ready by the server, and performed inside a warm child, where it can be ended."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import ssl

    import httpx

    from jobrunner.execution.attempt import AttemptSpec

from jobrunner.execution.failure import PlainFailure, names_of

SILENCE = 300.0
"""Seconds without a byte after which a request fails whose job has no timeout."""

MOST = 1024 * 1024
"""Bytes of a body up to which it is the result."""


def prepare(spec: AttemptSpec) -> dict[str, Any]:
    """The request of an HTTP job as JSON, parameters filled in.

    A JSON text that is ``"{name}"`` as a whole becomes the parameter's value with its type; inside other text, and in
    the URL (percent-encoded), headers and body, it becomes text.

    Raises:
        ParameterError: a text names what is no parameter.
    """
    from urllib.parse import quote

    from jobrunner.domain.job import HttpRequest
    from jobrunner.domain.params import fill, to_text

    kind = spec.job.kind
    assert isinstance(kind, HttpRequest)
    declared = frozenset(param.name for param in spec.job.params)
    quoted = {name: quote(to_text(value), safe="") for name, value in spec.params.items()}
    headers = [(name, fill(text, spec.params, declared=declared)) for name, text in kind.headers.items()]
    if not any(name.lower() == "idempotency-key" for name, _ in headers):
        headers.append(("Idempotency-Key", str(spec.run_id)))
    timeout = spec.job.timeout
    return {
        "method": kind.method.upper(),
        "url": fill(kind.url, quoted, declared=declared),
        "headers": headers,
        "secret_headers": [name for name, text in headers if any(secret in text for secret in spec.secrets)],
        "body": None if kind.body is None else fill(kind.body, spec.params, declared=declared),
        "has_json": kind.json is not None,
        "json": _fill_json(kind.json, spec.params, declared),
        "expect": list(kind.expect),
        # The attempt's own timeout is the server's to keep; this one must not come first.
        "silence": SILENCE if timeout is None else timeout.total_seconds() + 5,
    }


def perform(request: Mapping[str, Any], output: BinaryIO) -> Any:
    """Sends the request and writes the body to ``output`` as it comes; gives back the JSON value or the text of it.

    Raises:
        PlainFailure: no answer, or a status that is not expected.
    """
    import httpx

    silence = request["silence"]
    try:
        with (
            httpx.Client(timeout=silence, verify=_tls(), headers=_OURS) as client,
            closing(_answer(client, request)) as response,
        ):
            body = _receive(response, output)
            _check_status(response, request["expect"])
            return _value(response.headers.get("content-type", ""), response.encoding, body)
    except httpx.TimeoutException as error:
        raise _failure(f"no answer from {_place(request['url'])} for {silence:g} s", error) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
        raise _failure(f"{request['method']} {_place(request['url'])} failed: {reason}", error) from None
    except (UnicodeEncodeError, ValueError) as error:
        raise _failure(f"{request['method']} {_place(request['url'])} cannot be sent: {error}", error) from None


_OURS = {"User-Agent": "jobrunner"}
_MOST_REDIRECTS = 20
_contexts: list[ssl.SSLContext] = []


def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than most requests."""
    if not _contexts:
        import httpx

        _contexts.append(httpx.create_ssl_context())
    return _contexts[0]


def _answer(client: httpx.Client, request: Mapping[str, Any]) -> httpx.Response:
    """What the last of all redirects answers. A secret goes to the host that the job names, and to no other."""
    import httpx

    given = {"json": request["json"]} if request["has_json"] else {}
    asked = client.build_request(
        request["method"], request["url"], headers=request["headers"], content=request["body"], **given
    )
    first = asked.url
    for _ in range(_MOST_REDIRECTS + 1):
        response = client.send(asked, stream=True)
        if response.next_request is None:
            return response
        response.close()
        asked = response.next_request
        if (asked.url.scheme, asked.url.host, asked.url.port) != (first.scheme, first.host, first.port):
            for name in request["secret_headers"]:
                asked.headers.pop(name, None)
    raise httpx.TooManyRedirects(f"more than {_MOST_REDIRECTS} redirects", request=asked)


def _receive(response: httpx.Response, output: BinaryIO) -> bytes | None:
    """The body, None where it is too large to be a result."""
    kept: list[bytes] | None = []
    size = 0
    for part in response.iter_bytes():
        output.write(part)
        output.flush()
        size += len(part)
        if size > MOST:
            kept = None
        elif kept is not None:
            kept.append(part)
    return None if kept is None else b"".join(kept)


def _check_status(response: httpx.Response, expect: Collection[int]) -> None:
    status = response.status_code
    if status in expect if expect else 200 <= status <= 299:
        return
    raise PlainFailure(f"HTTP {status} {response.reason_phrase}".rstrip())


def _value(content_type: str, encoding: str | None, body: bytes | None) -> Any:
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("", "application/json", "text/json") or kind.endswith("+json"):
        try:
            return json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            pass
    if (
        kind
        and not kind.startswith("text/")
        and not kind.endswith(("json", "xml", "javascript", "x-www-form-urlencoded"))
    ):
        return None
    try:
        text = body.decode(encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None
    return text if "\0" not in text and len(json.dumps(text, ensure_ascii=False).encode()) <= MOST else None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _failure(line: str, error: Exception) -> PlainFailure:
    return PlainFailure(line, tuple(names_of(type(error))))


def _place(url: str) -> str:
    """The URL without what may be secret: user, query, fragment."""
    head, mark, rest = url.partition("://")
    if not mark:
        return url.partition("?")[0].partition("#")[0]
    path = rest.partition("?")[0].partition("#")[0]
    host, slash, tail = path.partition("/")
    return f"{head}://{host.rpartition('@')[2]}{slash}{tail}"


def _fill_json(value: Any, params: Mapping[str, Any], declared: Collection[str]) -> Any:
    from jobrunner.domain.params import fill, placeholders

    match value:
        case str():
            names = placeholders(value)
            if len(names) == 1 and value == f"{{{names[0]}}}" and names[0] in params:
                return params[names[0]]
            return fill(value, params, declared=declared)
        case dict():
            return {key: _fill_json(part, params, declared) for key, part in value.items()}
        case list() | tuple():
            return [_fill_json(part, params, declared) for part in value]
        case _:
            return value
