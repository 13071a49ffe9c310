"""Processes that die between two SQL statements: a server at its work, and the commands of a person."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from figures import Figures, Started, audited, total
from project import MARK, PATIENCE, Project, clean_environment, marked, until
from samples import serve, take

from jobrunner.domain.clock import SystemClock
from jobrunner.server.identity import host, identity
from jobrunner.store import open_store

JOBS = """
[jobrunner]
store = "STORE"
workers = 2

[defaults]
max_lost = 100

[jobs.note]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT true"
params.n = { type = "int" }

[jobs.again]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT test $JOBRUNNER_ATTEMPT -ge 3"
retries = 50
retry_delay = "1ms"

[jobs.fails]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT test -e mended"
params.n = { type = "int" }
"""

NOTES_SH = """
id="$1 $2"
shift 2
echo "start $id" >> notes
"$@" || exit 1
echo "end $id" >> notes
"""

FIRES = """
[jobs.{name}]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT true"
schedule = "every 1s"
overlap = "allow"
"""

COMMANDS = (
    "trigger note",
    "trigger note --after 1",
    "trigger note --each items --then note",
    "retry 2",
    "retry b1",
    "retry --dead",
    "cancel 1",
    "cancel b2",
    "discard 2",
)
"""What a person does on a store that has a queued run 1, a failed run 2, a failed batch 1 and a queued batch 2."""

_ROUNDS = 20
_ITEMS = 3


class Dying:
    """Runs commands in children that can be told to die before their Nth statement."""

    def __init__(self, folder: Path) -> None:
        program = Path(__file__).with_name("dying.py")
        self._process = subprocess.Popen(
            [sys.executable, program],
            env=clean_environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, *args: str, at: int = 0, reload: int = 0) -> bool:
        """Whether the command died; one that did not has to end with 0."""
        assert self._process.stdin
        assert self._process.stdout
        log = folder / "log"
        environ = {MARK: f"{folder}#0#", "TMPDIR": str(folder / "tmp")}
        command = {"args": args, "folder": str(folder), "environ": environ, "log": str(log), "at": at, "reload": reload}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        status, _ = json.loads(self._process.stdout.readline())
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert died or status == 0, (status, args, log.read_text())
        return died

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


class Scene:
    """A folder with a store in which something is about to happen."""

    def __init__(self, folder: Path, url: str, *, fresh: bool = True) -> None:
        self.url = url or f"sqlite:///{folder / 'jobrunner.db'}"
        jobs = JOBS.replace("STORE", url or "sqlite:///jobrunner.db")
        self.project = Project(folder, jobs if fresh else (folder / "jobs.toml").read_text())
        self.folder = folder
        (folder / "tmp").mkdir(exist_ok=True)
        (folder / "notes.sh").write_text(NOTES_SH)
        (folder / "items").write_text("".join(f"{n}\n" for n in range(_ITEMS)))

    def works_off(self, dying: Dying) -> None:
        """Lets healthy servers do all that is to be done."""
        for _ in range(_ROUNDS):
            dying.run(self.folder, "run", "--burst")
            if not self.active():
                return

    def active(self) -> int:
        """How many runs have not ended."""
        kinds = ("queued", "running", "waiting", "scheduled", "retrying")
        return sum(queue[kind] for queue in self.project.json("queues") for kind in kinds)

    def figures(self, fault: str, fine: Iterable[str]) -> Figures:
        """Counts, and gives what is left of a killed server's processes a moment to go."""
        try:
            until(lambda: not marked(self.folder), "the end of all processes", 5)
        except AssertionError:
            pass
        figures = audited(
            self.url,
            fault=fault,
            injected=1,
            starts=self._noted("start"),
            ends=self._noted("end"),
            fine=fine,
            left=len(marked(self.folder)),
            leftovers=[path.name for path in (self.folder / "tmp").iterdir()],
        )
        return figures._replace(wrong=(*figures.wrong, *self._half_done()))

    def _half_done(self) -> list[str]:
        """Batches that are not whole, and ids that were printed and are not there."""
        batches = {batch["id"]: batch["total"] for batch in self.project.json("batches")}
        known = {*batches, *(str(run["id"]) for run in self.project.json("runs", "--limit", "0"))}
        printed = re.findall(r"^b?\d+$", (self.folder / "log").read_text(), re.MULTILINE)
        return [
            *(f"{name} has {total} runs" for name, total in batches.items() if total != _ITEMS),
            *(f"{name} was printed and is not there" for name in printed if name not in known),
        ]

    def _noted(self, word: str) -> list[Started]:
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Started(*map(int, line.split()[1:])) for line in lines if line.startswith(word)]


class Statements:
    """Scenes on one kind of store, each with a death of its own. ``new_store`` gives the URL of an empty PostgreSQL
    store; without it the store is a SQLite file, copied from one scene that was set once.
    """

    def __init__(self, new_store: Callable[[], str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="jobrunner-faults-"))
        self._new_store = new_store
        self._templates = dict[str, Path]()
        self._dying = Dying(self._folder)
        self._scenes = itertools.count(1)
        self._name = "PostgreSQL" if new_store else "SQLite"

    def server(self, numbers: Iterable[int]) -> Figures:
        """A server that claims, starts, finishes, retries, releases a batch's end, and takes over from a dead one."""
        return self._all(numbers, "server", _work, ("run", "--burst"))

    def command(self, command: str, numbers: Iterable[int]) -> Figures:
        """A person's command."""
        return self._all(numbers, command, _steered, command.split(), fine=_FINAL)

    def reload(self, numbers: Iterable[int]) -> Figures:
        """A server that fires every second, and is told to read a file with another such job at its 20th statement."""
        return self._all(numbers, "reload", _fires, ("run",), reload=20)

    def close(self) -> None:
        self._dying.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _all(
        self,
        numbers: Iterable[int],
        what: str,
        setting: Callable[[Scene, Dying], None],
        args: Sequence[str],
        fine: Iterable[str] = ("succeeded",),
        reload: int = 0,
    ) -> Figures:
        """A death at each of these statements, as long as there are so many."""
        fault = f"kill at a statement, {what}, {self._name}"
        began = time.monotonic()
        found = list[Figures]()
        for number in numbers:
            scene = self._scene(what, setting)
            died = self._dying.run(scene.folder, *args, at=number, reload=reload)
            (scene.folder / "mended").touch()
            scene.works_off(self._dying)
            one = scene.figures(fault, fine)
            found.append(one._replace(injected=int(died), wrong=tuple(f"at {number}: {it}" for it in one.missed)))
            shutil.rmtree(scene.folder)
            if not died:
                break
        return total(fault, found)._replace(seconds=time.monotonic() - began)

    def _scene(self, what: str, setting: Callable[[Scene, Dying], None]) -> Scene:
        folder = self._folder / str(next(self._scenes))
        if self._new_store is not None:
            folder.mkdir()
            scene = Scene(folder, self._new_store())
            setting(scene, self._dying)
            return scene
        if what not in self._templates:
            template = self._templates[what] = self._folder / what.replace(" ", "-")
            template.mkdir()
            setting(Scene(template, ""), self._dying)
        shutil.copytree(self._templates[what], folder)
        return Scene(folder, "", fresh=False)


_FINAL = ("succeeded", "failed", "cancelled", "skipped", "expired")


def _work(scene: Scene, _: Dying) -> None:
    """A run, one that fails twice, a child, a batch with its continuation, one that is due, one of a dead server."""
    project = scene.project
    _take_as_a_dead_server(scene, project.trigger("note"))
    first = project.trigger("note")
    project.trigger("again")
    project.trigger("note", "--after", str(first))
    project.trigger("note", "--delay", "1ms")
    assert project.call("trigger", "note", "--each", "items", "--then", "note").status == 0


def _fires(scene: Scene, _: Dying) -> None:
    """Nothing but a file, and the one that follows it."""
    first = scene.project.file.read_text() + FIRES.format(name="first")
    scene.project.write(first + FIRES.format(name="second"))
    scene.project.file.replace(scene.folder / "next.toml")
    scene.project.write(first)
    scene.project.json("runs")


def _take_as_a_dead_server(scene: Scene, run: int) -> None:
    with subprocess.Popen(["sleep", "100"]) as process:
        who = identity(process.pid)
        process.kill()
    db = open_store(scene.url)
    try:
        now = SystemClock().now()
        server = serve(db, "dead", host=host(), identity=who, started_at=now)
        assert [claimed.id for claimed in take(db, server, now=now)] == [run]
    finally:
        db.close()


def _steered(scene: Scene, dying: Dying) -> None:
    project = scene.project
    project.call("pause", "note")
    project.trigger("note")
    project.trigger("fails")
    assert project.call("trigger", "fails", "--each", "items", "--then", "note").status == 0
    dying.run(scene.folder, "run", "--burst")
    assert project.call("trigger", "note", "--each", "items", "--then", "note").status == 0
    project.call("resume", "note")
