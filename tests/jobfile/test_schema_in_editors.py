"""What editors make of the schema: Taplo (Even Better TOML) and Tombi check files with it, offline."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any

import pytest
from corpus import CRONTABS, UNITS
from project import until

from jobrunner import jobfile

TOP = Path(__file__).parents[2]
FENCED = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
FILES = [
    TOP / "jobs.toml",
    *sorted((TOP / "examples").glob("**/*.toml")),
    *sorted((*CRONTABS.glob("*.toml"), *UNITS.glob("*.toml"))),
]
EDITORS = {"taplo": ["check"], "tombi": ["lint", "--offline"]}


def texts() -> dict[str, str]:
    """Every jobs.toml that we print or ship, by a name of its own."""
    found = {path.relative_to(TOP).as_posix().replace("/", "-"): path.read_text() for path in FILES}
    for page in PAGES:
        found |= {f"{page.stem}-{place}.toml": text for place, text in enumerate(FENCED.findall(page.read_text()))}
    return found | {"whole.toml": Path(__file__).with_name("whole.toml").read_text(), "starter.toml": jobfile.starter()}


def program(editor: str) -> str:
    return shutil.which(editor, path=f"{sysconfig.get_path('scripts')}:/usr/bin:/bin") or editor


def looked_at(editor: str, folder: Path, files: dict[str, str]) -> tuple[int, str]:
    """The status and the words of an editor's checker on files that name the schema in their first line."""
    (folder / "jobs.schema.json").write_text(json.dumps(jobfile.schema()))
    for name, text in files.items():
        (folder / name).write_text(f"#:schema ./jobs.schema.json\n{text}")
    command = [program(editor), *EDITORS[editor], *sorted(files)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"HOME": str(folder), "NO_COLOR": "1"}
    )
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@pytest.mark.parametrize("editor", EDITORS)
def test_good_files_are_good(editor: str, tmp_path: Path) -> None:
    files = texts()
    assert len(files) > 25
    status, words = looked_at(editor, tmp_path, files)
    assert status == 0, words
    assert not re.search("warning|error", words, re.IGNORECASE), words


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[jobrunner]\nwrkers = 3", "wrkers"),
        ("[jobs.a]\ncommand = 'x'\nretries = '3'", "integer"),
        ("[jobs.a]\ncommand = 'x'\noverlap = 'wait'", "skip"),
        ("[jobs.a]\ncommand = 'x'\npython = 'a:b'", "not|anyOf"),
        ("[jobs.a]\ncommand = 'x'\nschedule = { moon = 'full' }", "."),
        ("[calendars.a]\ndates = ['tomorrow']", "."),
        ("[jobs.12]\ncommand = 'x'", "."),
    ],
)
def test_plain_mistakes_are_seen(editor: str, text: str, words: str, tmp_path: Path) -> None:
    status, said = looked_at(editor, tmp_path, {"jobs.toml": text})
    assert status != 0
    assert re.search(words, said, re.IGNORECASE)


def say(stream: IO[bytes] | None, number: int | None, method: str, **params: Any) -> None:
    """A request, or where it has no number a notification, of the language server protocol."""
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    body = json.dumps(message).encode()
    assert stream
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def heard(stream: IO[bytes] | None, number: int) -> Any:
    """The answer to a request; what is said besides is passed over."""
    assert stream
    while True:
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message = json.loads(stream.read(length))
        if message.get("id") == number and "method" not in message:
            return message["result"]


def completions(folder: Path, text: str) -> dict[str, str]:
    """What Tombi offers in the place of the mark ``|``: labels, and what is said of each."""
    line = text[: text.index("|")].count("\n")
    place = {"line": line, "character": text.split("\n")[line].index("|")}
    (folder / "jobs.schema.json").write_text(json.dumps(jobfile.schema()))
    (folder / "jobs.toml").write_text(text.replace("|", ""))
    uri = (folder / "jobs.toml").as_uri()
    with subprocess.Popen(
        [program("tombi"), "lsp", "--offline"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"HOME": str(folder)},
    ) as server:
        try:
            say(server.stdin, 1, "initialize", processId=None, rootUri=folder.as_uri(), capabilities=CAPABLE)
            heard(server.stdout, 1)
            say(server.stdin, None, "initialized")
            document = {"uri": uri, "languageId": "toml", "version": 1, "text": text.replace("|", "")}
            say(server.stdin, None, "textDocument/didOpen", textDocument=document)
            asked = count(2)

            def offered() -> Any:
                """None while the server is still looking around."""
                number = next(asked)
                say(server.stdin, number, "textDocument/completion", textDocument={"uri": uri}, position=place)
                return heard(server.stdout, number)

            found = until(offered, "a completion")
        finally:
            server.kill()
    items = found["items"] if isinstance(found, dict) else found
    return {item["label"]: item["documentation"]["value"] for item in items}


CAPABLE = {"textDocument": {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}}}
HEAD = "#:schema ./jobs.schema.json\n"


def test_an_editor_offers_keys_and_values_and_says_what_they_are(tmp_path: Path) -> None:
    keys = completions(tmp_path, f"{HEAD}[jobs.a]\ncommand = 'x'\nretr|\n")
    assert {"retries", "retry_delay", "retry_on"} <= keys.keys()
    assert keys["retry_delay"].startswith("The delay before the first repetition.")
    assert 'Default: `"10s"`' in keys["retry_delay"]
    assert completions(tmp_path, f"{HEAD}[jobs.a]\noverlap = |\n").keys() == {
        f'"{word}"' for word in ("skip", "queue", "allow", "replace")
    }
    assert "timezone" in completions(tmp_path, f"{HEAD}[jobrunner]\n|\n")
    assert {"jobs", "jobrunner", "defaults", "notify"} <= completions(tmp_path, f"{HEAD}[|]\n").keys()


def test_no_pattern_of_names_looks_around() -> None:
    """Taplo, which cannot be asked for completions here, descends no pattern that Rust's plain expressions lack."""

    def patterns(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("patternProperties", {})
        for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            yield from patterns(inner)

    found = list(patterns(jobfile.schema()))
    assert len(found) > 3
    assert [pattern for pattern in found if re.search(r"\(\?<?[!=]", pattern)] == []
