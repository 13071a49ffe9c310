"""Pictures of every screen, as SVG, against those that were looked at. After a change that is meant to be seen:
``pytest tests/tui/test_pictures.py -n 0 --snapshot-update``, and look at each that differs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from project import Project
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from samples import NOW, end, later, put, serve, start
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from jobrunner import jobfile
from jobrunner.admin import Admin
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.run import Progress
from jobrunner.domain.state import RunState
from jobrunner.domain.trigger import TriggerOptions
from jobrunner.domain.version import Applied, Origin
from jobrunner.presentation.screen import Screen
from jobrunner.store import Database, decisions, files, open_store, output
from jobrunner.store.files import File
from jobrunner.store.output import Row, Segment
from jobrunner.store.runs import finish
from jobrunner.store.versions import Content
from jobrunner.tui.dialogs.confirm import Confirm
from jobrunner.tui.dialogs.form import Form
from jobrunner.tui.dialogs.menu import Menu
from jobrunner.tui.look import LIGHT, Look
from jobrunner.tui.screens.chain import ChainView
from jobrunner.tui.screens.editor import JobEditor
from jobrunner.tui.screens.run import RunView
from jobrunner.tui.screens.why import WhyJob, WhyRun
from jobrunner.tui.widgets.output import Output

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (140, 40)]
NUMBERED = {
    "1": "overview",
    "2": "jobs",
    "3": "runs",
    "4": "queues",
    "5": "schedule",
    "6": "servers",
    "7": "configuration",
}

LOOKS = {
    "ascii": Look(Screen(terminal=True, width=80, colour=False, unicode=False)),
    "light": Look(Screen(terminal=True, width=80, colour=True, unicode=True), LIGHT),
}

DECIDED = {"typical": "night", "extreme": "a-job-with-a-name-that-is-as-long-as-names-may-be-007-" + "x" * 45}
"""The job that is asked about, at a time at which it might have run."""

FEW = """
[jobrunner]
timezone = "Europe/Madrid"

[jobs.backup]
description = "Nightly database backup"
command = ["pg_dump", "--file", "{target}", "shop"]
params.target = { type = "string", default = "/backup/shop.sql" }
schedule = "0 2 * * *"
queue = "low"
tags = ["db"]

[jobs.import]
command = "import-orders"
schedule = "*/15 * * * *"

[jobs.invoice]
python = "billing:invoice"
params.id = { type = "int", required = true }
queue = "critical"

[jobs.report]
http = { url = "https://reports.example.com/build" }
schedule = { cron = "30 6 * * mon-fri", timezone = "Asia/Kathmandu" }

[jobs.night]
command = "true"
schedule = "30 2 * * *"
enabled = false
"""
MANY = """
[jobrunner]
timezone = "Europe/Madrid"
production = true
""" + "".join(
    f"""
[jobs.a-job-with-a-name-that-is-as-long-as-names-may-be-{number:03d}-{"x" * 45}]
description = "Größe 漢字テスト 🚀 and a description that does not end where anybody would have thought that it ends"
command = "true"
schedule = "{number % 60} {number % 24} * * *"
queue = "a-queue-with-a-very-long-name-{number % 12}"
tags = ["tag-one", "another-tag"]
"""
    for number in range(60)
)


class Svg(SingleFileSnapshotExtension):
    """A file for each picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Svg)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place whose name has always the same length: it is in the pictures."""
    place = Path(tempfile.mkdtemp(prefix="jobrunner-", dir="/tmp"))
    (place / "shop").mkdir()
    yield place / "shop"
    shutil.rmtree(place)


@pytest.fixture(params=["empty", "typical", "extreme"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def where(folder: Path, kind: str) -> Project:
    return Project(folder, {"empty": "", "typical": FEW, "extreme": MANY}[kind])


@pytest.fixture
def filled(admin: Admin, where: Project, kind: str) -> int:
    """The store as it is in the pictures; gives the run that is looked at."""
    if kind == "empty":
        return 0
    store = open_store(admin.settings.store)
    whole = jobfile.read(where.file)
    contents = {name: Content(job.definition) for name, job in whole.jobs.items()}
    by = Applied("ana", "web1", "web1-main", Origin.START)
    files.apply(store, 1, File(contents, dict.fromkeys(contents, 1)), by, ago(86_000))
    found = (typical if kind == "typical" else extreme)(store, admin, list(whole.jobs))
    store.close()
    return found


async def test_screens(
    dashboard: Callable[..., Any], picture: SnapshotAssertion, filled: int, kind: str, folder: Path
) -> None:
    for size in SIZES:
        async with dashboard(size=size, start="1") as opened:

            async def take(name: str, opened: Any = opened, size: tuple[int, int] = size) -> None:
                drawn = await _still(opened, name, folder)
                assert drawn == picture(name=f"{kind}-{name}-{size[0]}x{size[1]}")

            await opened.until(lambda opened=opened: "being read" not in opened.text())
            for key, name in NUMBERED.items():
                await opened.press(key)
                await opened.until(lambda opened=opened: "being read" not in opened.text())
                await take(name)
            if kind != "empty":
                await _asked_of_a_job(opened, take, DECIDED[kind])
                await _reached_from_others(opened, take, filled)


async def _reached_from_others(opened: Any, take: Callable[[str], Any], run: int) -> None:
    await opened.press("2", "enter")
    await opened.until(lambda: opened.app.view.number is None)
    await take("job")
    await opened.press("d")
    await opened.until(lambda: opened.app.view.filter_text)
    await opened.press("escape")  # all of them, not the job's alone
    await opened.settled()
    await take("decisions")
    await opened.press("q", "w")
    await opened.until(lambda: isinstance(opened.app.view, WhyRun))
    await take("why")
    await _edited(opened, take)
    opened.app.open_thing("run", run)
    view = await opened.until(lambda: opened.app.view if isinstance(opened.app.view, RunView) else None)
    await opened.until(lambda: opened.app.screen is view and view.query(Output) and view.query_one(Output).state.lines)
    for page in ("output", "attempts", "parameters", "timeline", "changed"):
        await opened.press(str(("output", "attempts", "parameters", "timeline", "changed").index(page) + 1))
        await take(f"run-{page}")
    await opened.press("1", "D")
    await opened.until(lambda: "undone" in opened.text())
    await take("confirm")
    await opened.press("escape", ":")
    await opened.until(lambda: "Commands" in opened.text())
    await take("palette")
    await opened.press("escape", "?")
    await take("help")


async def _asked_of_a_job(opened: Any, take: Callable[[str], Any], job: str) -> None:
    """Why a job had no run at a time, all that can be done with it, and the editor of a new one."""
    opened.app.open(WhyJob(job, ago(80_000)))
    await opened.until(lambda: isinstance(opened.app.screen, WhyJob) and opened.app.view.answered)
    await take("why-fire")
    await opened.press("2", "x")
    await opened.until(lambda: isinstance(opened.app.screen, Menu))
    await take("menu")
    await opened.press("escape")
    opened.app.open(JobEditor(None))
    view = await opened.until(lambda: opened.app.view if isinstance(opened.app.view, JobEditor) else None)
    await opened.until(lambda: view.is_mounted and view.ready)
    await take("new-job")
    await opened.press("escape")


async def _edited(opened: Any, take: Callable[[str], Any]) -> None:
    """The form that asks for the parameters of the job, and its editor, where keys are typed."""
    await opened.press("q", "R")
    await opened.until(lambda: isinstance(opened.app.screen, Form))
    await take("form")
    await opened.press("escape", "e")
    view = await opened.until(lambda: opened.app.view if isinstance(opened.app.view, JobEditor) else None)
    await opened.until(lambda: view.is_mounted and view.ready)
    await take("editor")


@pytest.mark.parametrize("kind", ["typical"], indirect=True)
async def test_a_chain(
    dashboard: Callable[..., Any], picture: SnapshotAssertion, filled: int, folder: Path, admin: Admin
) -> None:
    first = admin.trigger("import", {}).id
    load = admin.trigger("report", {}, options=TriggerOptions(after=(first,))).id
    follows = TriggerOptions(after=(load,))
    admin.trigger("invoice", {"id": 7}, options=follows)
    items = [{"id": 1}, {"id": 2}]
    admin.trigger_batch("invoice", items, then="import", then_on_failure="backup", options=follows)
    for size in SIZES:
        async with dashboard(size=size) as opened:
            opened.app.open(ChainView(load))
            await opened.until(lambda opened=opened: "1 before, 4 after" in opened.text())
            await opened.settled()
            drawn = _normal(_drawn(opened.app, "chain"), folder)
            assert drawn == picture(name=f"typical-chain-{size[0]}x{size[1]}")


@pytest.mark.parametrize("kind", ["typical", "extreme"], indirect=True)
async def test_a_batch(
    dashboard: Callable[..., Any], picture: SnapshotAssertion, filled: int, folder: Path, admin: Admin, kind: str
) -> None:
    number = (batch if kind == "typical" else large_batch)(admin)
    for size in SIZES:
        async with dashboard(size=size) as opened:
            opened.app.open_thing("batch", number)
            await opened.until(lambda opened=opened: "PARAMETERS" in opened.text())
            await opened.settled()
            drawn = _normal(opened.app.export_screenshot(title="batch"), folder)
            assert drawn == picture(name=f"{kind}-batch-{size[0]}x{size[1]}")


@pytest.mark.parametrize("kind", ["typical"], indirect=True)
async def test_a_store_that_is_away(
    dashboard: Callable[..., Any], picture: SnapshotAssertion, filled: int, folder: Path
) -> None:
    """A screen that had not been shown before."""
    database, gone = folder / "jobrunner.db", folder / "gone"
    for size in SIZES:
        async with dashboard(size=size, start="1") as opened:
            database.rename(gone)
            await opened.until(lambda opened=opened: "STALE" in opened.text())
            await opened.press("3")
            await opened.until(lambda opened=opened: "It is tried again." in opened.text())
            await opened.settled()
            drawn = _normal(opened.app.export_screenshot(title="away"), folder)
            assert drawn == picture(name=f"typical-away-{size[0]}x{size[1]}")
            gone.rename(database)


@pytest.mark.parametrize("kind", ["typical"], indirect=True)
@pytest.mark.parametrize("look", LOOKS)
async def test_looks(
    dashboard: Callable[..., Any], picture: SnapshotAssertion, filled: int, folder: Path, look: str
) -> None:
    async with dashboard(size=SIZES[0], look=LOOKS[look], start="1") as opened:
        for number in ("1", "2", "5"):
            await opened.press(number)
            await opened.until(lambda: "being read" not in opened.text())
            await opened.settled()
            drawn = _normal(_drawn(opened.app, NUMBERED[number]), folder)
            assert drawn == picture(name=NUMBERED[number])
        await opened.press("2")
        for name, key, there in (("menu", "x", Menu), ("form", "R", Form), ("confirm", "D", Confirm)):
            await opened.press(key)
            await opened.until(lambda there=there: isinstance(opened.app.screen, there))
            await opened.settled()
            assert _normal(_drawn(opened.app, name), folder) == picture(name=name)
            await opened.press("escape")
        await opened.press("e")
        await opened.until(lambda: isinstance(opened.app.view, JobEditor) and opened.app.view.ready)
        await opened.press("ctrl+t", *"bad = ")
        await opened.until(lambda: opened.app.view.ready)
        await opened.settled()
        assert _normal(_drawn(opened.app, "editor"), folder) == picture(name="editor")


def ago(seconds: float) -> Any:
    return NOW - timedelta(seconds=seconds)


def ran(
    db: Database, server: int, job: str, seconds: float, took: float, state: RunState, text: bytes = b"", **changes: Any
) -> int:
    """A run that began so many seconds ago."""
    run = put(db, job, created_at=ago(seconds), run_after=ago(seconds), **changes)
    claimed = start(db, run, server, ago(seconds))
    if text:
        half = len(text) // 2
        segments = (Segment(0, ago(seconds), half), Segment(1, ago(seconds - took), len(text) - half))
        output.write(db, run, claimed.attempt, server, [Row(0, 0, segments, text)], drop=None)
    wrong = {"error": "exit status 1: no space left on device", "exit_code": 1} if state is RunState.FAILED else {}
    end(db, claimed, server, state, at=ago(seconds - took), **wrong)
    return run


def typical(db: Database, admin: Admin, jobs: list[str]) -> int:
    server = serve(db, "web1-main", started_at=ago(90_000), queues=("critical", "default", "low"))
    serve(db, "web2-main", host="web2", started_at=ago(5_000), config_hash="ffffffffffff", queues=("default",))
    for number in range(40, 0, -1):
        state = RunState.FAILED if number in (3, 17) else RunState.SUCCEEDED
        ran(db, server, "import", 900 * number, 40 + number % 7, state)
    text = b"pg_dump: connecting\n" * 4 + b"\x1b[31mpg_dump: error: no space left on device\x1b[0m\nBye.\n"
    failed = ran(db, server, "backup", 36_000, 10, RunState.FAILED, text, queue="low", params='{"target":"/x"}')
    for number in range(6):
        queued = ago(60 - number)
        put(db, "invoice", queue="critical", created_at=queued, run_after=queued, params=f'{{"id":{number}}}')
    begun = start(db, put(db, "report", created_at=ago(100), run_after=ago(100)), server, ago(95))
    finish.report_progress(db, begun.id, begun.attempt, server, Progress(done=30, total=100, message="page 30"))
    decision = Decision("night", ago(80_000), ago(80_000), 1, Why.DISABLED, "enabled = false", ago(80_000))
    decisions.write(db, decision, 1, mark=None)
    admin.pause("queue", "low", until=later(7_200), reason="disk migration")
    admin.trigger_batch("invoice", [{"id": 1}, {"id": 2}])
    return failed


def batch(admin: Admin) -> int:
    """Invoices of which some failed, with what follows them."""
    items = [{"id": number} for number in range(8)]
    number = admin.trigger_batch("invoice", items, then="import", then_on_failure="backup").id
    return _partly(admin, number, 5)


def large_batch(admin: Admin) -> int:
    """Many runs of a job with a long name, of which most failed."""
    return _partly(admin, admin.trigger_batch(admin.job_names()[0], [{}] * 300).id, 290)


def _partly(admin: Admin, number: int, ended: int) -> int:
    """Ends so many members: the first with success, every third after it too, the others failed."""
    db = open_store(admin.settings.store)
    server = serve(db, "web3-main", started_at=ago(90_000))
    rows = db.execute("SELECT id FROM runs WHERE batch_id = ? ORDER BY id LIMIT ?", (number, ended)).fetchall()
    db.execute("UPDATE batches SET created_at = created_at - 600000000 WHERE id = ?", (number,))
    for place, (run,) in enumerate(rows):
        state = RunState.FAILED if place % 3 else RunState.SUCCEEDED
        wrong = {"error": "HTTP 503: Service Unavailable", "exit_code": 1} if place % 3 else {}
        end(db, start(db, run, server, ago(60)), server, state, at=ago(50), **wrong)
    db.close()
    return number


def extreme(db: Database, admin: Admin, jobs: list[str]) -> int:
    servers = [
        serve(db, f"a-server-with-a-long-name-{number}", started_at=ago(9_000_000), workers=1_000, queues=("default",))
        for number in range(12)
    ]
    for number in range(30):
        start(db, put(db, jobs[number]), servers[number % 12], ago(100_000 * (number + 1)))
    text = "\x1b]52;c;ZXZpbA==\x07\x1b[2J[bold]not markup[/x] 漢字 " + "x" * 500 + "\r\n\t\x00 done\n"
    last = 0
    for number in range(150, 0, -1):
        job, said = jobs[number % len(jobs)], text.encode() if number == 1 else b""
        state = RunState.FAILED if number % 5 == 1 else RunState.SUCCEEDED
        last = ran(db, servers[number % 12], job, 500 * number, 400, state, said, priority=number % 200 - 100)
    admin.pause("all", "", until=None, reason="\x1b[7mreason\x1b[0m [b]of[/b] " + "many words " * 12)
    return last


async def _still(opened: Any, title: str, folder: Path) -> str:
    """The picture, when two looks in a row see the same: what is told late has been told."""
    drawn = before = ""
    for _ in range(20):
        await opened.settled()
        before, drawn = drawn, _normal(_drawn(opened.app, title), folder)
        if drawn == before:
            break
    return drawn


def _drawn(app: Any, title: str) -> str:
    """The screen as SVG, on the background that its theme is for."""
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    light = app.look.theme == LIGHT
    return console.export_svg(title=title, theme=DEFAULT_TERMINAL_THEME if light else SVG_EXPORT_THEME)


def _normal(drawn: str, folder: Path) -> str:
    """Without what differs from one run of the tests to the next."""
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"terminal-\d+-", "terminal-", drawn)
    place = folder.parent.name
    for name, shown in ((place, "jobrunner-xxxxxxxx"), (place[-11:], "er-xxxxxxxx")):  # it may be broken over two lines
        drawn = drawn.replace(name, shown)
    drawn = re.sub(r"\b(?!f{12})(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b", "0123456789ab", drawn)
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"
