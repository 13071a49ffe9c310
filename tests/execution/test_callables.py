"""Python callables in warm children."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import jobrunner
from jobrunner.domain.job import Limits, PythonCall
from jobrunner.errors import JobrunnerError
from jobrunner.execution import Control, Failed, NotStarted, Stopped, StopReason, Succeeded, TimedOut

LONG = timedelta(minutes=10)
SHORT = timedelta(milliseconds=200)
SOME = timedelta(seconds=1)
"""Enough for a warm child to be in the middle of a function, on a busy machine too."""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")


def test_parameters_are_keywords_and_what_is_returned_is_the_result(bench: Any) -> None:
    bench.module("def add(a, b=1): return {'sum': a + b, 'parts': (a, b)}")
    outcome = bench.call("add", {"a": 2})
    assert isinstance(outcome, Succeeded)
    assert outcome.result == {"sum": 3, "parts": [2, 1]}
    assert (outcome.exit_code, outcome.left) == (None, 0)


def test_coroutines_and_what_returns_them(bench: Any) -> None:
    bench.module("""
        import asyncio, functools
        async def double(n):
            await asyncio.sleep(0)
            return n * 2
        def indirect(n): return double(n)
        class Holder:
            method = staticmethod(double)
    """)
    for name in ("double", "indirect", "Holder.method"):
        assert bench.call(name, {"n": 4}).result == 8


def test_a_run_sees_itself(bench: Any) -> None:
    bench.module("""
        import jobrunner, os, threading
        def look(**params):
            run = jobrunner.current_run()
            seen = []
            thread = threading.Thread(target=lambda: seen.append(jobrunner.current_run().run_id))
            thread.start(); thread.join()
            return [run.run_id, run.job, run.attempt, run.max_attempts, run.trigger, str(run.fire_time), run.batch_id,
                    run.params, run.parent_results, seen, os.environ["JOBRUNNER_PARAM_N"], os.environ["GREETING"]]
    """)
    spec = {
        "run_id": 42, "attempt": 2, "trigger": "after", "fire_time": datetime(2026, 1, 2, tzinfo=UTC), "batch_id": 7,
        "parent_results": {"up": [1]}, "env": {"GREETING": "hello"},
    }  # fmt: skip
    assert bench.call("look", {"n": 5}, spec=spec, name="looker").result == [
        42, "looker", 2, 3, "after", "2026-01-02 00:00:00+00:00", 7, {"n": 5}, {"up": [1]}, [42], "5", "hello",
    ]  # fmt: skip
    assert jobrunner.__getattr__("current_run") is not None


def test_outside_of_a_run_there_is_none() -> None:
    with pytest.raises(JobrunnerError, match="there is no current run"):
        jobrunner.current_run()


def test_prints_come_in_order_line_by_line(bench: Any) -> None:
    bench.module("""
        import os, subprocess, sys
        def speak():
            print("one", "two")
            print("wörds \\udcff", file=sys.stderr)
            subprocess.run(["echo", "three"])
            os.write(1, b"four\\n")
            sys.stdout.write("five")
    """)
    assert isinstance(bench.call("speak"), Succeeded)
    assert bench.sink.stdout == b"one two\nthree\nfour\nfive"
    assert bench.sink.stderr == "wörds \\udcff\n".encode()


def test_output_belongs_to_its_own_run(bench: Any) -> None:
    bench.module("def say(n): print('x' * 100_000 + str(n))")
    for n in range(30):
        bench.call("say", {"n": n})
        assert bench.sink.stdout == b"x" * 100_000 + b"%d\n" % n


def test_progress(bench: Any) -> None:
    bench.module("""
        import jobrunner
        def work():
            run = jobrunner.current_run()
            run.progress(0, message="loading s3cr3t-value")
            for step in range(100_000):
                run.progress(step, total=100_000)
            run.progress(100_000, 100_000, "done")
    """)
    bench.call("work", spec={"secrets": ("s3cr3t-value",)})
    assert bench.sink.reports[0].message == "loading ***"
    assert (bench.sink.reports[-1].done, bench.sink.reports[-1].message) == (100_000, "done")


def test_progress_that_is_no_number_is_refused(bench: Any) -> None:
    bench.module("import jobrunner\ndef work(): jobrunner.current_run().progress(float('nan'))")
    assert "done is not finite: nan" in bench.call("work").error


def test_an_exception_is_a_failure_with_its_names_and_a_traceback_of_the_job_alone(bench: Any) -> None:
    bench.module("""
        class Odd(KeyError): pass
        def fail():
            try: 1 / 0
            except ZeroDivisionError as error: raise Odd("multi\\nline") from error
    """)
    outcome = bench.call("fail")
    assert isinstance(outcome, Failed)
    assert outcome.error == "Odd: 'multi\\nline'"
    assert outcome.exceptions[:6] == (
        "Odd",
        "work.Odd",
        "KeyError",
        "builtins.KeyError",
        "LookupError",
        "builtins.LookupError",
    )
    assert bench.sink.stderr.startswith(b"Traceback")
    assert b"ZeroDivisionError" in bench.sink.stderr
    assert b"jobrunner" not in bench.sink.stderr.replace(str(bench.folder).encode(), b"")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.exit(0)", "SystemExit: the function called sys.exit(0)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('base')", "BaseException: base"),
        ("raise GeneratorExit", "GeneratorExit"),
        (
            "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
            "<str() of it raised ZeroDivisionError>",
        ),
        ("def deeper(): deeper()\n    deeper()", "RecursionError: maximum recursion depth exceeded"),
        ("import sys; sys.stderr = sys.stdout = None; raise ValueError('x')", "ValueError: x"),
        ("return object()", "the result cannot be JSON: it is of type object"),
        ("return {'a': [1, float('nan')]}", "the result['a'][1] cannot be JSON: it is nan"),
        ("return 'x' * (1 << 20)", "the result is larger than 1 MiB"),
    ],
)
def test_failures_that_do_not_end_the_child(bench: Any, body: str, words: str) -> None:
    bench.module(f"import os\ndef fail():\n    {body}\ndef pid(): return os.getpid()")
    before = bench.call("pid").result
    outcome = bench.call("fail")
    assert isinstance(outcome, Failed)
    assert words in outcome.error
    assert "\n" not in outcome.error
    assert bench.call("pid").result == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere:f", "ModuleNotFoundError: No module named 'nowhere'"),
        ("work:nothing", "AttributeError: module 'work' has no attribute 'nothing'"),
        ("work:CONSTANT", "TypeError: work:CONSTANT is not a function but int"),
        ("work:two", "TypeError: two() missing 1 required positional argument: 'b'"),
        ("broken:f", "SyntaxError"),
        ("leaves:f", "SystemExit: the function called sys.exit(3)"),
    ],
)
def test_what_cannot_be_called_is_a_clear_failure(bench: Any, target: str, words: str) -> None:
    bench.module("CONSTANT = 1\ndef two(a, b): pass")
    bench.module("def f(:", "broken")
    bench.module("import sys; sys.exit(3)", "leaves")
    outcome = bench.call(target, {"a": 1} if target == "work:two" else {})
    assert isinstance(outcome, Failed)
    assert words in outcome.error
    assert bench.sink.stderr


@pytest.mark.parametrize(
    ("body", "code", "number", "words"),
    [
        ("os._exit(7)", 7, None, "its process ended with exit status 7: last words"),
        ("os._exit(0)", 0, None, "its process ended with exit status 0: last words"),
        ("os.kill(os.getpid(), 9)", None, 9, "killed by SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", None, 11, "killed by SIGSEGV"),
    ],
)
def test_a_child_that_dies_is_a_failure_and_is_replaced(
    bench: Any, body: str, code: int | None, number: int | None, words: str
) -> None:
    bench.module(f"import os\ndef die():\n    os.write(2, b'last words\\n')\n    {body}\ndef fine(): return 1")
    outcome = bench.call("die")
    assert isinstance(outcome, Failed)
    assert (outcome.exit_code, outcome.signal, outcome.error) == (code, number, words)
    assert bench.call("fine").result == 1


def test_a_timeout_raises_job_cancelled_in_a_function(bench: Any) -> None:
    bench.module("""
        import time, jobrunner
        def wait():
            try: time.sleep(100)
            except Exception: print("swallowed")
            except jobrunner.JobCancelled: print("told"); raise
    """)
    bench.call("nothing")
    outcome = bench.call("wait", timeout=SOME, kill_grace=LONG)
    assert outcome == TimedOut(after=SOME, killed=False, left=0, peak_memory=outcome.peak_memory, cpu=outcome.cpu)
    assert bench.sink.stdout == b"told\n"


def test_a_timeout_cancels_a_coroutine(bench: Any) -> None:
    bench.module("""
        import asyncio
        def warm(): pass
        async def wait():
            try: await asyncio.sleep(100)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)
                print("cleaned")
    """)
    bench.call("warm")
    outcome = bench.call("wait", timeout=SOME, kill_grace=LONG)
    assert isinstance(outcome, TimedOut)
    assert not outcome.killed
    assert bench.sink.stdout == b"cleaned\n"


@pytest.mark.parametrize("body", ["signal.pthread_sigmask(signal.SIG_BLOCK, [15]); forever()", "stubborn()"])
def test_a_function_that_does_not_listen_is_killed(bench: Any, body: str) -> None:
    bench.module(f"""
        import signal, time
        def forever():
            while True: time.sleep(1)
        def stubborn():
            while True:
                try: time.sleep(100)
                except BaseException: pass
        def run(): {body}
    """)
    bench.call("nothing")
    outcome = bench.call("run", timeout=SOME, kill_grace=SHORT)
    assert isinstance(outcome, TimedOut)
    assert outcome.killed


@pytest.mark.parametrize("now", [False, True])
def test_a_cancel(bench: Any, collected: Any, now: bool) -> None:
    bench.module("import time\ndef wait(): print('on'); time.sleep(100)")
    control = Control()
    sink = collected(then=lambda: control.stop(StopReason.CANCELLED, now))
    outcome = bench.call("wait", control=control, sink=sink, kill_grace=LONG)
    assert isinstance(outcome, Stopped)
    assert (outcome.reason, outcome.killed) == (StopReason.CANCELLED, now)
    assert bench.call("wait", timeout=SHORT).after == SHORT


def test_stops_at_any_moment_end_the_run_and_no_other(bench: Any, collected: Any) -> None:
    """Signals that come before, in, and right after a short run never reach the next one."""
    bench.module("import time\ndef short(): time.sleep(0.002); return 1")
    for step in range(60):
        control = Control()
        timer = threading.Timer(step * 0.0001, control.stop, (StopReason.CANCELLED,))
        timer.start()
        outcome = bench.call("short", control=control, kill_grace=LONG)
        assert isinstance(outcome, Succeeded) or (isinstance(outcome, Stopped) and not outcome.killed), outcome
        timer.join()
        assert bench.call("short").result == 1


def test_a_child_is_warm_and_keeps_modules(bench: Any) -> None:
    bench.module("import os\ncount = 0\ndef next():\n    global count; count += 1; return [os.getpid(), count]")
    first, second = bench.call("next").result, bench.call("next").result
    assert first[0] == second[0]
    assert [first[1], second[1]] == [1, 2]


def test_every_run_has_its_own_surroundings(bench: Any) -> None:
    bench.module("""
        import os, sys
        def spoil():
            os.environ["HOME"] = "/nowhere"; del os.environ["PATH"]; os.environ["NEW"] = "1"
            os.chdir("/"); os.umask(0); sys.path.insert(0, "/nowhere"); sys.stdout = None
        def look():
            mask = os.umask(0); os.umask(mask)
            print("heard")
            return [os.environ["HOME"], "PATH" in os.environ, "NEW" in os.environ, os.getcwd(), mask, sys.path[0],
                    "SECRET" in os.environ, os.getpid()]
    """)
    before = bench.call("look").result
    bench.call("spoil", spec={"env": {"SECRET": "x"}}, umask=0o007)
    assert bench.call("look").result == before
    assert bench.sink.stdout == b"heard\n"
    assert before[3] == before[5] == str(bench.folder)


def test_folder_and_umask_of_the_job(bench: Any) -> None:
    bench.module("import os\ndef look():\n    mask = os.umask(0); os.umask(mask)\n    return [os.getcwd(), mask]")
    (bench.folder / "below").mkdir()
    assert bench.call("look", cwd="below", umask=0o27).result == [str(bench.folder / "below"), 0o27]
    missing = bench.call("look", cwd="nowhere")
    assert isinstance(missing, NotStarted)
    assert "nowhere: no such file or directory" in missing.error


def test_an_edited_module_is_read_again(bench: Any, eventually: Callable[..., bool]) -> None:
    bench.module("import other\ndef value(): return other.VALUE")
    bench.module("VALUE = 1", "other")
    assert bench.call("value").result == 1
    for value in (22, 333):
        bench.module(f"VALUE = {value}", "other")
        # Runs within a blink share one look at the disk.
        assert eventually(lambda value=value: bench.call("value").result == value)


def test_a_module_that_was_broken_and_is_mended(bench: Any) -> None:
    bench.module("import missing_piece\ndef value(): return missing_piece.VALUE")
    assert isinstance(bench.call("value"), Failed)
    bench.module("VALUE = 1", "missing_piece")
    assert bench.call("value").result == 1


def test_recycling_replaces_children(bench: Any) -> None:
    bench.module("import os\ndef pid(): return os.getpid()")
    before = bench.call("pid").result
    bench.execution.recycle()
    assert bench.call("pid").result != before


def test_prepare_has_a_child_ready(bench: Any, eventually: Callable[..., bool]) -> None:
    bench.module("import os\ndef both(): return [os.getppid(), os.getpid()]\ndef pid(): return os.getpid()")
    launcher, before = bench.call("both").result
    bench.execution.recycle()
    job = bench.job(PythonCall(target="work:pid"))
    bench.execution.prepare([job, job])
    found: list[int] = []

    def ready() -> bool:
        children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
        try:
            found[:] = [int(pid) for pid in children if str(bench.folder) in Path(f"/proc/{pid}/cmdline").read_text()]
        except (FileNotFoundError, ProcessLookupError):
            return False  # one has ended since
        return len(found) == 1 and before not in found

    assert eventually(ready)
    assert bench.call("pid").result == found[0]


def test_left_overs_are_ended_and_counted(
    bench: Any, survivors: Callable[[list[int]], list[int]], pids_in: Callable[[Path, int], list[int]]
) -> None:
    bench.module("""
        import os, subprocess, time
        def leave():
            script = 'trap "" TERM HUP; echo $$ > $0.new; mv $0.new $0.pid; while :; do sleep 1; done'
            subprocess.Popen(["sh", "-c", script, "a"])
            subprocess.Popen(["setsid", "sh", "-c", script, "b"], env={})
            subprocess.run(["sh", "-c", f"(setsid sh -c '{script}' c &)"])
            while not all(os.path.exists(f"{name}.pid") for name in "abc"): time.sleep(0.01)
            return os.getpid()
        def pid(): return os.getpid()
    """)
    outcome = bench.call("leave")
    assert isinstance(outcome, Succeeded)
    assert outcome.left >= 3
    assert survivors([*pids_in(bench.folder, 3), outcome.result]) == []
    assert bench.call("pid").result != outcome.result


def test_left_overs_end_with_a_child_that_dies(
    bench: Any, survivors: Callable[[list[int]], list[int]], pids_in: Callable[[Path, int], list[int]]
) -> None:
    bench.module("""
        import os, subprocess, time
        def leave():
            script = 'trap "" TERM HUP; echo $$ > $0.new; mv $0.new $0.pid; while :; do sleep 1; done'
            subprocess.Popen(["setsid", "sh", "-c", script, "a"])
            while not os.path.exists("a.pid"): time.sleep(0.01)
            os._exit(3)
    """)
    outcome = bench.call("leave")
    assert outcome.exit_code == 3
    assert outcome.left >= 1
    assert survivors(pids_in(bench.folder, 1)) == []


def test_a_thread_that_goes_on_ends_with_the_run(bench: Any, survivors: Callable[[list[int]], list[int]]) -> None:
    bench.module("""
        import os, threading, time
        def leave():
            threading.Thread(target=lambda: time.sleep(1000)).start()
            return os.getpid()
    """)
    outcome = bench.call("leave")
    assert isinstance(outcome, Succeeded)
    assert survivors([outcome.result]) == []


def test_pools_of_the_job_end_quietly(bench: Any) -> None:
    bench.module("""
        import multiprocessing, os
        def work():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                return sum(pool.map(abs, range(10)))
        def forget():
            if os.fork() == 0: return "child"
            os.wait()
            return "parent"
    """)
    assert bench.call("work").result == 45
    assert bench.sink.stderr == b""
    assert bench.call("forget").result == "parent"


def test_broken_streams_cost_the_child(bench: Any) -> None:
    bench.module("import os\ndef close(): os.close(1); return os.getpid()\ndef say(): print('hi'); return os.getpid()")
    before = bench.call("close").result
    assert bench.call("say").result != before
    assert bench.sink.stdout == b"hi\n"


def test_a_child_killed_while_idle_costs_nothing(bench: Any, survivors: Callable[[list[int]], list[int]]) -> None:
    bench.module("import os\ndef pid(): return os.getpid()")
    before = bench.call("pid").result
    os.kill(before, 9)
    assert survivors([before]) == []
    assert isinstance(bench.call("pid"), Succeeded)


def test_a_signal_while_idle_costs_nothing(bench: Any) -> None:
    bench.module("import os\ndef pid(): return os.getpid()")
    before = bench.call("pid").result
    os.kill(before, 15)
    os.kill(before, 2)
    outcome = bench.call("pid")
    assert isinstance(outcome, Succeeded)
    assert outcome.result != before


@root_only
def test_another_user_and_priority_have_their_own_children(bench: Any) -> None:
    bench.module("import os\ndef who(): return [os.getuid(), os.environ['HOME'], os.getpriority(os.PRIO_PROCESS, 0)]")
    # The test's own folder is root's alone, so the module comes from the library; the interpreter may be, too.
    outcome = bench.call("os:getuid", user="nobody", cwd="/")
    if isinstance(bench.shell(f"test -x {sys.executable}", user="nobody", cwd="/"), Succeeded):
        assert outcome.result == 65534
    else:
        assert outcome == NotStarted(error=f"cannot start {sys.executable}: permission denied")
    assert bench.call("who", nice=3).result[2] == 3
    assert bench.call("who").result[2] == 0


def test_limits(bench: Any) -> None:
    bench.module("""
        import time
        def big(seconds):
            kept = b"x" * 200_000_000
            time.sleep(seconds)
            return len(kept)
    """)
    outcome = bench.call("big", {"seconds": 1000}, resources=Limits(memory_max=100 * 1024 * 1024))
    assert isinstance(outcome, Failed)
    assert re.fullmatch(r"memory_max 100 MiB exceeded: [0-9.]+ MiB in 1 process", outcome.error)
    assert bench.call("big", {"seconds": 0}).result == 200_000_000


def test_errors_are_masked(bench: Any) -> None:
    bench.module("def fail(token): raise ValueError(f'bad {token}')")
    outcome = bench.call("fail", {"token": "s3cr3t-value"}, spec={"secrets": ("s3cr3t-value",)})
    assert outcome.error == "ValueError: bad ***"
    assert b"s3cr3t" not in bench.sink.stderr


def test_large_parameters_and_results(bench: Any) -> None:
    bench.module("def echo(text): return text")
    text = "é\n" * 200_000
    assert bench.call("echo", {"text": text}).result == text


def test_nothing_leaks(bench: Any) -> None:
    bench.module("import os\ndef fine(): pass\ndef die(): os._exit(1)\ndef fail(): raise ValueError")

    def all_kinds() -> None:
        for name in ("fine", "die", "fail", "nothing"):
            bench.call(name)
        bench.execution.recycle()

    all_kinds()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        all_kinds()
    assert len(os.listdir("/proc/self/fd")) == before


def test_many_threads_share_the_pool(bench: Any, collected: Any) -> None:
    bench.module("def echo(n): print(n); return n")
    wrong: list[Any] = []

    def work(base: int) -> None:
        for n in range(base, base + 100):
            sink = collected()
            spec = bench.spec(bench.job(PythonCall(target="work:echo")), params={"n": n})
            outcome = bench.execution.execute(spec, Control(), sink)
            if getattr(outcome, "result", None) != n or sink.stdout != b"%d\n" % n:
                wrong.append((n, outcome, sink.stdout))

    threads = [threading.Thread(target=work, args=(base * 1000,)) for base in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
