"""Where a configuration has its secrets: the files that it takes them from, and those written into it. For doctor."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jobrunner.domain.params import placeholders
from jobrunner.jobfile.files import Files
from jobrunner.jobfile.source import Path
from jobrunner.jobfile.words import dotted

_FILE = re.compile(r"(?<!\$)\$\{file:([^}]*)\}")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_PASSWORD = re.compile(r"^\w+://[^/@:]*:[^/@]+@|[?&]password=[^&]")
_TELLING = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


def secrets_of(
    path: str | os.PathLike[str], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The files that references name, absolute; and for each file of the configuration the keys that seem to hold a
    secret as it is. A file that cannot be read has neither."""
    files = Files(path)
    folder = os.path.dirname(os.path.abspath(files.path))
    named = dict[str, None]()
    written = dict[str, tuple[str, ...]]()
    for source in files.sources:
        texts = list(_texts(source.tree, ()))
        for _, text in texts:
            named.update(dict.fromkeys(_named(text, folder, environ)))
        keys = [dotted(place) for place, text in texts if _is_secret(source.tree, place, text)]
        if keys:
            written[os.path.abspath(source.name)] = tuple(dict.fromkeys(keys))
    return tuple(named), written


def _texts(value: Any, place: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))


def _named(text: str, folder: str, environ: Mapping[str, str]) -> Iterator[str]:
    for found in _FILE.finditer(text) if "${file:" in text else ():
        written = found[1].strip()
        if all(name in environ for name in _VARIABLE.findall(written)):
            yield os.path.join(folder, _VARIABLE.sub(lambda match: environ[match[1]], written))


def _is_secret(tree: Mapping[str, Any], place: Path, text: str) -> bool:
    """Whether a text is a secret by where it stands, and is none of a reference, a parameter, or nothing."""
    if not text or "${" in text:
        return False
    match place:
        case ("jobrunner", "store" | "broker"):
            return _PASSWORD.search(text) is not None
        case ("notify", _, "url"):
            return True
        case ("jobs", _, "env", str(name)) | ("defaults", "env", str(name)):
            return _TELLING.search(name) is not None
        case ("jobs", _, "http", "headers", str(name)):
            return name.lower() in _HEADERS and not placeholders(text)
        case ("jobs", str(job), "params", str(name), "default"):
            return tree["jobs"][job]["params"][name].get("secret") is True
        case ("defaults", "params", str(name), "default"):
            return tree["defaults"]["params"][name].get("secret") is True
    return False
