"""Runs of every kind that note what they do, servers that work them off, and the count at the end."""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figures, Started, audited
from project import Answer, Project, Server, marked, until

JOBS = """
[jobrunner]
store = "STORE"
BROKER
workers = 4
lost_after = "LOST_AFTER"

[defaults]
max_lost = 100

[jobs.number]
python = "notes:number"
params.n = { type = "int", required = true }

[jobs.flaky]
python = "notes:flaky"
params.n = { type = "int", required = true }
retries = 50
retry_delay = "1ms"

[jobs.shell]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT"
params.n = { type = "int", required = true }

[jobs.last]
python = "notes:last"
"""

NOTES_PY = """
import fcntl, os, random, time
from jobrunner import current_run

held = os.open("held", os.O_RDWR | os.O_CREAT, 0o600)

def note(word):
    run = current_run()
    notes = os.open("notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(notes, f"{word} {run.run_id} {run.attempt}\\n".encode())
    os.close(notes)

def number(n):
    try:
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, current_run().run_id)
    except OSError:
        note("together")
    note("start")
    if random.random() < 0.1:  # the others are so short that a child is given several at once
        time.sleep(random.random() * 0.03)
    note("end")
    print("said by", current_run().run_id, current_run().attempt)
    fcntl.lockf(held, fcntl.LOCK_UN, 1, current_run().run_id)
    return n

def flaky(n):
    if current_run().attempt % 2:
        note("start")
        raise ValueError(n)
    return number(n)

def last():
    return number(0)
"""

NOTES_SH = """
exec 9> locks/$1
flock -n 9 || echo "together $1 $2" >> notes
echo "start $1 $2" >> notes
setsid sleep 1000 &
[ $(($1 % 10)) -gt 0 ] || sleep 0.03  # the others are so short that they are claimed ahead
echo "end $1 $2" >> notes
"""


class Load:
    """A project whose runs note their starts and ends in one file, as they append to it themselves.

    ``servers`` are those that run now; ``replace`` kills one and starts another in its place.
    """

    def __init__(self, store: str, broker: str | None = None, *, lost_after: str = "30s", seed: int = 7) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jobrunner-faults-"))
        url = store or f"sqlite:///{self.folder / 'jobrunner.db'}"
        told = f'broker = "{broker}"' if broker else ""
        jobs = JOBS.replace("STORE", url).replace("BROKER", told).replace("LOST_AFTER", lost_after)
        self.project = Project(self.folder, jobs)
        self.url = url
        self.random = random.Random(seed)
        self.servers = list[Server]()
        self.heard = 0
        self.runs = 0
        self._notes = self.folder / "notes"
        self._read = 0
        self._ends = 0
        self._began = time.monotonic()
        (self.folder / "notes.py").write_text(NOTES_PY)
        (self.folder / "notes.sh").write_text(NOTES_SH)
        (self.folder / "locks").mkdir()
        (self.folder / "tmp").mkdir()
        self._notes.touch()

    def move_store(self, folder: Path) -> None:
        """Another place for a SQLite store, before it exists."""
        was, self.url = self.url, f"sqlite:///{folder / 'jobrunner.db'}"
        self.project.write(self.project.file.read_text().replace(was, self.url))

    def add(self, runs: int) -> None:
        """Creates so many runs in three batches, each with a continuation: most in Python, some fail at first."""
        shells, flaky = max(2, runs // 10), max(2, runs // 20)
        for job, count in (("shell", shells - 1), ("flaky", flaky - 1), ("number", runs - shells - flaky - 1)):
            answer = self._batch(job, count)
            assert answer.status == 0, answer

    def more(self, runs: int) -> Answer:
        """The answer to the wish for so many runs more; a refused one adds none."""
        return self._batch("number", runs - 1)

    def serve(self, count: int) -> None:
        """Starts servers until there are so many; does not wait for them."""
        while len(self.servers) < count:
            name = f"server{len(self.project.servers)}"
            self.servers.append(self.project.start("--name", name, TMPDIR=str(self.folder / "tmp")))

    def kill_one(self) -> None:
        """Kills one of the servers as a power cut would, and starts another at once."""
        count = len(self.servers)
        self.servers.pop(self.random.randrange(count)).kill()
        self.serve(count)

    def ended(self) -> int:
        """How many ends were noted so far."""
        with self._notes.open("rb") as notes:
            notes.seek(self._read)
            fresh = notes.read()
        self._read += len(fresh)
        self._ends += fresh.count(b"end ")
        return self._ends

    def progress(self, goal: int) -> None:
        """Waits until so many ends were noted."""
        while (ends := self.ended()) < goal:
            until(lambda: self.ended() > ends or self._failed(), f"the next of {goal} ends after {ends}\n{self.said()}")

    def finish(self) -> None:
        """Waits until every run has ended, has the servers end, and starts and ends another one as a healthy end."""
        self.progress(self.runs)
        until(self._all_final, f"the end of all runs\n{self.said()}")
        for server in self.servers:
            server.ready().stop()
        self.servers.clear()
        self.project.burst(TMPDIR=str(self.folder / "tmp"))

    def said(self) -> str:
        """The last words of the servers that run."""
        return "\n".join(line for server in self.servers for line in server.lines[-5:])

    def figures(self, fault: str, injected: int) -> Figures:
        """Counts; to be called when the servers have ended."""
        words: dict[str, list[Started]] = {"start": [], "end": [], "together": []}
        for line in self._notes.read_text().splitlines():
            word, run, attempt = line.split()
            words[word].append(Started(int(run), int(attempt)))
        return audited(
            self.url,
            fault=fault,
            injected=injected,
            starts=words["start"],
            ends=words["end"],
            together=len(words["together"]),
            left=len(marked(self.folder)),
            leftovers=self._leftovers(),
            seconds=time.monotonic() - self._began,
        )

    def close(self) -> None:
        self.project.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _batch(self, job: str, count: int) -> Answer:
        items = "".join(f"{n}\n" for n in range(count))
        answer = self.project.call("trigger", job, "--each", "-", "--then", "last", input=items)
        self.runs += 0 if answer.status else count + 1
        return answer

    def _failed(self) -> bool:
        ended = [server for server in self.servers if server.process.poll() is not None]
        assert not ended, ended[0].text()
        return False

    def _leftovers(self) -> list[str]:
        return [path.name for path in (*self.folder.glob("*-wake*"), *(self.folder / "tmp").iterdir())]

    def _all_final(self) -> bool:
        queues = self.project.json("queues")
        kinds = ("queued", "running", "waiting", "scheduled", "retrying")
        return not any(queue[kind] for queue in queues for kind in kinds)


@contextmanager
def load(store: str = "", broker: str | None = None, **how: str) -> Iterator[Load]:
    """A load of its own; nothing is left of it."""
    made = Load(store, broker, **how)
    try:
        yield made
    finally:
        made.close()
