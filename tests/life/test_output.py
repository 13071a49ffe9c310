"""What runs print: kept by attempt and stream, in order, byte for byte, with an end to it; shown safely."""

import json
import os
import pty
from collections.abc import Iterator

import pytest
from dialogue import received
from project import Answer, Project, until

NASTY = b"\x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b[31mred\x1b[0m\x00\xff\xfe\x9b31m \xc3\xbc \xe2\x80\xae\r\nend"

JOBS = r"""
[jobs.both]
python = "printing:both"

[jobs.bytes]
command = ["python3", "-c", "import sys; sys.stdout.buffer.write(NASTY)"]

[jobs.much]
command = ["python3", "-c", "for i in range(40000): print(f'line {i:05}')"]
max_output = "64KiB"

[jobs.sly]
command = '''echo '"\u001b]0;t\u0007"' > $JOBRUNNER_RESULT_FILE'''

[jobs.silent]
command = "true"

[jobs.again]
command = "echo attempt $JOBRUNNER_ATTEMPT; exit 1"
retries = 1
retry_delay = "1ms"

[jobs.gated]
command = "echo before; cat gate >/dev/null; echo after; sleep 0; echo again"

[jobs.endless]
command = ["python3", "-u", "-c", "while True: print('x' * 1000)"]
timeout = "1s"
max_output = "10KiB"
""".replace("NASTY", repr(NASTY).replace("\\", "\\\\").replace('"', '\\"'))

PRINTING = """
import os, sys, time

def both():
    # Two pipes have no common order: each line is printed when the one before it has been read.
    for number in (1, 2, 3):
        for stream, word in ((sys.stdout, "out"), (sys.stderr, "err")):
            print(word, number, file=stream, flush=True)
            while _unread(stream):
                time.sleep(0.001)
            time.sleep(0.03)

def _unread(stream):
    import array, fcntl, termios
    left = array.array("i", [0])
    fcntl.ioctl(stream.fileno(), termios.FIONREAD, left)
    return left[0]
"""


@pytest.fixture(scope="module")
def printing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One server for all tests of this module."""
    project = Project(tmp_path_factory.mktemp("output"), JOBS)
    (project.folder / "printing.py").write_text(PRINTING)
    with project.server():
        yield project
    project.close()


def done(printing: Project, job: str) -> int:
    run = printing.trigger(job)
    printing.ended(run)
    return run


def on_terminal(project: Project, *args: str) -> bytes:
    """What a terminal receives."""
    ours, theirs = pty.openpty()
    with project.popen(*args, stdout=theirs, environ={"TERM": "xterm-256color"}) as process:
        os.close(theirs)
        found = received(ours)
        assert process.stderr
        process.stderr.read()
    os.close(ours)
    assert process.returncode == 0
    return found.replace(b"\r\n", b"\n")


def test_both_streams_in_the_order_in_which_they_were_printed(printing: Project) -> None:
    run = done(printing, "both")
    assert printing.logs(run) == "".join(f"out {i}\nerr {i}\n" for i in (1, 2, 3))
    assert printing.logs(run, "--stream", "stdout") == "out 1\nout 2\nout 3\n"
    assert printing.logs(run, "--stream", "stderr") == "err 1\nerr 2\nerr 3\n"
    assert printing.logs(run, "--tail", "2") == "out 3\nerr 3\n"
    assert printing.logs(run, "--tail", "1", "--stream", "stdout") == "out 3\n"


def test_as_json_lines(printing: Project) -> None:
    run = done(printing, "both")
    lines = [json.loads(line) for line in printing.logs(run, "--json").splitlines()]
    assert {line["stream"] for line in lines} == {"stdout", "stderr"}
    assert "".join(line["text"] for line in lines if line["stream"] == "stderr") == "err 1\nerr 2\nerr 3\n"
    assert all(line["at"].endswith("Z") for line in lines)


def test_byte_for_byte_when_piped(printing: Project) -> None:
    run = done(printing, "bytes")
    with printing.popen("logs", str(run)) as process:
        out, err = process.communicate()
    assert (process.returncode, out, err) == (0, NASTY, b"")


def test_a_terminal_sees_control_sequences_and_does_not_obey_them(printing: Project) -> None:
    received = on_terminal(printing, "logs", str(done(printing, "bytes")))
    assert b"\x1b[31mred\x1b[0m" in received
    assert received.count(b"\x1b") == 2
    for forbidden in (b"\x07", b"\x00", b"\xc2\x9b", "\u202e".encode()):
        assert forbidden not in received
    assert "ü".encode() in received
    assert received.endswith(b"end\n")


def test_the_result_of_a_wait_does_not_reach_a_terminal_raw(printing: Project) -> None:
    received = on_terminal(printing, "trigger", "sly", "--wait")
    assert b"]0;t" in received
    assert b"\x1b" not in received
    assert b"\x07" not in received


def test_head_and_tail_are_kept_and_what_is_missing_is_said(printing: Project) -> None:
    run = done(printing, "much")
    answer = printing.call("logs", str(run))
    assert answer.out.startswith("line 00000\nline 00001\n")
    assert answer.out.endswith("line 39998\nline 39999\n")
    assert 60 * 1024 <= len(answer.out) <= 64 * 1024
    missing = 40000 * len("line 00000\n") - len(answer.out)
    assert answer.err == f"jobrunner: {missing:,} bytes beyond max_output are not kept\n"
    assert printing.logs(run, "--tail", "2") == "line 39998\nline 39999\n"


def test_endless_output_holds_nobody_up(printing: Project) -> None:
    run = printing.trigger("endless")
    assert printing.ended(run)["state"] == "failed"
    assert len(printing.logs(run)) <= 10 * 1024


def test_nothing_printed_is_said(printing: Project) -> None:
    run = done(printing, "silent")
    assert printing.call("logs", str(run)) == Answer(0, "", f"jobrunner: run {run} has printed nothing\n")


def test_each_attempt_has_its_own(printing: Project) -> None:
    run = done(printing, "again")
    assert printing.logs(run) == "attempt 2\n"
    assert printing.logs(run, "--attempt", "1") == "attempt 1\n"
    assert printing.call("logs", str(run), "--attempt", "3").status == 3


def test_following_shows_what_comes_and_ends_with_the_run(printing: Project) -> None:
    gate = printing.folder / "gate"
    os.mkfifo(gate)
    run = printing.trigger("gated")
    with printing.popen("logs", "-f", str(run)) as process:
        assert process.stdout
        assert process.stdout.readline() == b"before\n"
        gate.write_text("go")
        assert process.stdout.read() == b"after\nagain\n"
        assert process.stderr
        assert process.stderr.read() == b""
    gate.unlink()
    assert process.returncode == 0
    answer = printing.call("trigger", "again", "--follow")
    assert (answer.status, answer.out) == (1, "attempt 1\nattempt 2\n")


def test_follow_of_a_run_that_has_ended(printing: Project) -> None:
    run = done(printing, "both")
    assert printing.logs(run, "--follow") == printing.logs(run)
    assert printing.logs(run, "--follow", "--tail", "1") == "err 3\n"


def test_what_is_printed_can_be_seen_while_it_runs(printing: Project) -> None:
    gate = printing.folder / "gate"
    os.mkfifo(gate)
    run = printing.trigger("gated")
    until(lambda: printing.logs(run) == "before\n", "the first line")
    gate.write_text("go")
    printing.ended(run)
    gate.unlink()


def test_a_reader_that_goes_away(printing: Project) -> None:
    run = done(printing, "much")
    with printing.popen("logs", str(run)) as process:
        assert process.stdout
        process.stdout.read(10)
        process.stdout.close()
        process.wait()
        assert process.stderr
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode in (0, 141)  # 0 where the pipe held all of it
