"""Commands as attempts, on real processes."""

from __future__ import annotations

import json
import os
import pwd
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobrunner.domain.job import Command, Limits
from jobrunner.domain.params import Param
from jobrunner.execution import Control, Failed, NotStarted, Stopped, StopReason, Succeeded, TimedOut

SECOND = timedelta(seconds=1)
LONG = timedelta(minutes=10)
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")


def test_arguments_pass_whole(bench: Any) -> None:
    params = {"name": "a b; $HOME 'x'", "count": 3}
    outcome = bench.run(Command(argv=("printf", "%s|", "{name}", "{count}x", "{{}}", "${HOME}", "")), params)
    assert isinstance(outcome, Succeeded)
    assert outcome.exit_code == 0
    assert bench.sink.stdout == b"a b; $HOME 'x'|3x|{}|${HOME}||"


def test_an_undeclared_name_starts_nothing(bench: Any) -> None:
    outcome = bench.run(Command(argv=("echo", "{nobody}")))
    assert isinstance(outcome, NotStarted)
    assert "{nobody}" in outcome.error
    assert bench.sink.pids == []


def test_a_declared_parameter_without_value_is_empty(bench: Any) -> None:
    spec = bench.spec(bench.job(Command(argv=("printf", "[%s]", "{note}")), params=(Param(name="note"),)))
    bench.execution.execute(spec, Control(), bench.sink)
    assert bench.sink.stdout == b"[]"


def test_a_line_is_the_shells(bench: Any) -> None:
    assert isinstance(bench.shell("echo one two | tr o 0 > f; cat f"), Succeeded)
    assert bench.sink.stdout == b"0ne tw0\n"
    bench.run(Command(line="echo ${BASH_VERSION:+yes}", shell="/bin/bash"))
    assert bench.sink.stdout == b"yes\n"


def test_both_streams_come_in_order_and_byte_for_byte(bench: Any) -> None:
    junk = bytes(range(256)) * 40
    (bench.folder / "junk").write_bytes(junk)
    bench.shell("cat junk; cat junk >&2; cat junk")
    assert bench.sink.stdout == junk * 2
    assert bench.sink.stderr == junk


def test_a_run_sees_itself_in_its_environment(bench: Any) -> None:
    fire = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    spec = {
        "attempt": 2, "trigger": "after", "fire_time": fire, "batch_id": 7, "parent_results": {"up": [1]},
        "run_id": 42, "server": "s1", "env": {"GREETING": "hello"},
    }  # fmt: skip
    bench.shell("env", params={"month": "2026-10", "dry": True, "ids": [1, 2], "none": None}, spec=spec, name="bill")
    seen = dict(line.split("=", 1) for line in bench.sink.stdout.decode().splitlines() if "=" in line)
    assert seen["GREETING"] == "hello"
    assert {name: value for name, value in seen.items() if name.startswith("JOBRUNNER_")}.items() >= {
        "JOBRUNNER_RUN_ID": "42",
        "JOBRUNNER_JOB": "bill",
        "JOBRUNNER_ATTEMPT": "2",
        "JOBRUNNER_MAX_ATTEMPTS": "3",
        "JOBRUNNER_TRIGGER": "after",
        "JOBRUNNER_FIRE_TIME": "2026-10-25T01:30:00.000000Z",
        "JOBRUNNER_SERVER": "s1",
        "JOBRUNNER_BATCH_ID": "7",
        "JOBRUNNER_PARENT_RESULTS": '{"up":[1]}',
        "JOBRUNNER_PARAM_MONTH": "2026-10",
        "JOBRUNNER_PARAM_DRY": "true",
        "JOBRUNNER_PARAM_IDS": "[1,2]",
    }.items()
    assert "JOBRUNNER_PARAM_NONE" not in seen


def test_what_does_not_apply_is_not_set(bench: Any) -> None:
    bench.shell("env")
    for name in ("FIRE_TIME", "BATCH_ID", "PARENT_RESULTS"):
        assert f"JOBRUNNER_{name}=".encode() not in bench.sink.stdout


def test_stdin_is_empty_and_no_descriptor_leaks(bench: Any) -> None:
    bench.run(
        Command(argv=(sys.executable, "-c", "import os,sys; print(sys.stdin.read()=='', os.listdir('/proc/self/fd'))"))
    )
    assert bench.sink.stdout == b"True ['0', '1', '2', '3']\n"  # 3 is the listing's own


def test_signals_are_as_a_program_expects_them(bench: Any) -> None:
    code = (
        "import signal;print([s.name for s in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP) if signal.getsignal(s)])"
    )
    bench.run(Command(argv=(sys.executable, "-S", "-c", code)))
    assert bench.sink.stdout == b"[]\n"
    bench.shell("grep SigBlk /proc/self/status; yes | head -n 1")
    assert bench.sink.stdout == b"SigBlk:\t0000000000000000\ny\n"


def test_where_it_works(bench: Any) -> None:
    (bench.folder / "below").mkdir()
    bench.shell("pwd")
    assert bench.sink.stdout.decode().strip() == str(bench.folder)
    bench.shell("pwd", cwd="below")
    assert bench.sink.stdout.decode().strip() == str(bench.folder / "below")
    (bench.folder / "run.sh").write_text("#!/bin/sh\necho here\n")
    (bench.folder / "run.sh").chmod(0o755)
    bench.run(Command(argv=("./run.sh",)))
    assert bench.sink.stdout == b"here\n"


def test_umask_and_niceness(bench: Any) -> None:
    bench.shell("umask; nice", umask=0o027, nice=7)
    assert bench.sink.stdout == b"0027\n7\n"
    bench.shell("umask", umask=0o077)
    assert bench.sink.stdout == b"0077\n"


@root_only
def test_another_user(bench: Any) -> None:
    nobody = pwd.getpwnam("nobody")
    outcome = bench.shell(
        'id -un; echo $HOME $USER $LOGNAME; echo 5 > "$JOBRUNNER_RESULT_FILE"', user="nobody", cwd="/"
    )
    assert bench.sink.stdout.decode() == f"nobody\n{nobody.pw_dir} nobody nobody\n"
    assert isinstance(outcome, Succeeded)
    assert outcome.result == 5


def test_limits(bench: Any) -> None:
    bench.shell("ulimit -n", resources=Limits(open_files=77, cpu_time=timedelta(seconds=5)))
    assert bench.sink.stdout == b"77\n"


@pytest.mark.parametrize(
    ("argv", "job", "words"),
    [
        (("no-such-program",), {}, "there is no such program in PATH"),
        (("/no/such/program",), {}, "there is no such program"),
        (("./plain.txt",), {}, "it is not executable"),
        (("/",), {}, "it is a folder"),
        (("./odd",), {}, "neither a program nor a script with a #! line"),
        (("./lost",), {}, "interpreter that its #! line names does not exist"),
        (("true",), {"cwd": "nowhere"}, "nowhere: no such file or directory"),
        (("true",), {"user": "no-such-user"}, "user = 'no-such-user': there is no such user"),
        (("echo", "a\0b"), {}, "holds a NUL character"),
        (("echo", "x" * 3_000_000), {}, "larger than this system takes"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(
    bench: Any, argv: tuple[str, ...], job: dict[str, Any], words: str
) -> None:
    (bench.folder / "plain.txt").write_text("plain")
    for name, text in (("odd", "echo odd"), ("lost", "#!/no/interpreter\n")):
        (bench.folder / name).write_text(text)
        (bench.folder / name).chmod(0o755)
    outcome = bench.run(Command(argv=argv), **job)
    assert isinstance(outcome, NotStarted)
    assert words in outcome.error
    assert "\n" not in outcome.error
    assert bench.sink.pids == []


@pytest.mark.parametrize("job", [{"nice": 1}, {}])
def test_both_ways_of_starting_say_the_same(bench: Any, job: dict[str, Any]) -> None:
    (bench.folder / "odd").write_text("echo odd")
    (bench.folder / "odd").chmod(0o755)
    outcome = bench.run(Command(argv=("./odd",)), **job)
    assert isinstance(outcome, NotStarted)
    assert outcome.error == "cannot start ./odd: it is neither a program nor a script with a #! line"


@pytest.mark.parametrize("code", [1, 3, 75, 255])
def test_exit_status(bench: Any, code: int) -> None:
    outcome = bench.shell(f"echo fine; exit {code}")
    assert isinstance(outcome, Failed)
    assert (outcome.exit_code, outcome.signal, outcome.error) == (code, None, f"exit status {code}")


def test_the_last_words_on_stderr_are_in_the_error(bench: Any) -> None:
    outcome = bench.shell(r"printf 'first\n\033[31mlast \033]0;x\007one\033[0m\n\n' >&2; exit 2")
    assert isinstance(outcome, Failed)
    assert outcome.error == "exit status 2: last one"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1])
def test_ended_by_a_signal(bench: Any, number: signal.Signals) -> None:
    outcome = bench.shell(f"kill -{int(number)} $$")
    assert isinstance(outcome, Failed)
    assert (outcome.exit_code, outcome.signal, outcome.error) == (None, int(number), f"killed by {number.name}")


def test_a_result(bench: Any) -> None:
    outcome = bench.shell("""echo '{"rows": [1, 2.5, null, "é"]}' > "$JOBRUNNER_RESULT_FILE" """)
    assert isinstance(outcome, Succeeded)
    assert outcome.result == {"rows": [1, 2.5, None, "é"]}


@pytest.mark.parametrize("line", ["true", "touch $F", "touch $F; rm $F", "echo > $F"])
def test_no_result(bench: Any, line: str) -> None:
    outcome = bench.shell("F=$JOBRUNNER_RESULT_FILE; " + line)
    assert isinstance(outcome, Succeeded)
    assert outcome.result is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo nonsense > $F", "the result is not JSON: Expecting value (line 1, column 1)"),
        ("echo NaN > $F", "NaN is not a JSON value"),
        (r"printf '\377' > $F", "not UTF-8"),
        ("head -c 100000 /dev/zero | tr '\\0' '[' > $F", "the result is not JSON"),
        ("head -c 1048577 /dev/zero > $F", "the result is larger than 1 MiB (1,048,577 bytes)"),
        ("ln -s /etc/passwd $F", "it is a link"),
        ("mkdir $F", "it is not an ordinary file"),
        ("mkfifo $F", "it is not an ordinary file"),
        ("touch $F; ln $F $F.second", "it is not an ordinary file"),
    ],
)
def test_what_cannot_be_a_result_is_a_failure_that_says_so(bench: Any, line: str, words: str) -> None:
    outcome = bench.shell("F=$JOBRUNNER_RESULT_FILE; " + line)
    assert isinstance(outcome, Failed)
    assert words in outcome.error
    assert outcome.exit_code == 0


@pytest.mark.parametrize("user", [None, pytest.param("nobody", marks=root_only)])
def test_the_result_file_is_the_commands_to_make_in_a_private_folder_and_goes_away(
    bench: Any, user: str | None
) -> None:
    line = 'F=$JOBRUNNER_RESULT_FILE; echo $F; stat -c %a "$(dirname $F)"; test -e $F; echo $?; touch $F'
    bench.shell(line, user=user, cwd="/")
    path, *seen = bench.sink.stdout.decode().split()
    assert seen == ["700", "1"]
    assert not Path(path).exists()


def test_what_is_written_late_is_no_result_of_the_same_attempt_made_again(bench: Any) -> None:
    spec = bench.spec(bench.job(Command(line='echo "$JOBRUNNER_RESULT_FILE"')))
    bench.execution.execute(spec, Control(), bench.sink)
    late = Path(bench.sink.stdout.decode().strip())
    late.write_text("5")
    outcome = bench.execution.execute(spec, Control(), bench.sink)
    late.unlink()
    assert isinstance(outcome, Succeeded)
    assert outcome.result is None


def test_a_folder_for_results_that_was_cleaned_away_is_made_again(bench: Any) -> None:
    bench.shell('rm -r "$(dirname "$JOBRUNNER_RESULT_FILE")"')
    outcome = bench.shell('echo 1 > "$JOBRUNNER_RESULT_FILE"')
    assert isinstance(outcome, Succeeded)
    assert outcome.result == 1


def test_progress(bench: Any) -> None:
    bench.shell("for i in 1 2 3; do echo ::progress $i/3 step $i; done; echo '::progress 9/9 no' >&2")
    assert (bench.sink.reports[-1].done, bench.sink.reports[-1].total, bench.sink.reports[-1].message) == (
        3,
        3,
        "step 3",
    )
    assert bench.sink.stdout.count(b"::progress") == 3


def test_secrets_are_masked_everywhere(bench: Any) -> None:
    line = 'printf "%s" "$TOKEN"; printf "::progress 1/2 %s\\n" "$TOKEN"; echo "bad $TOKEN" >&2; exit 1'
    outcome = bench.shell(line, spec={"env": {"TOKEN": "s3cr3t-value"}, "secrets": ("s3cr3t-value",)})
    assert bench.sink.stdout == b"***::progress 1/2 ***\n"
    assert bench.sink.stderr == b"bad ***\n"
    assert isinstance(outcome, Failed)
    assert outcome.error == "exit status 1: bad ***"
    missing = bench.run(Command(argv=("s3cr3t-value",)), spec={"secrets": ("s3cr3t-value",)})
    assert missing.error == "cannot start '***': there is no such program in PATH"


def test_a_timeout_that_sigterm_settles(bench: Any) -> None:
    limit = SECOND
    outcome = bench.shell("trap 'echo told; exit 0' TERM; echo on; sleep 100 & wait", timeout=limit, kill_grace=LONG)
    assert isinstance(outcome, TimedOut)
    assert (outcome.after, outcome.killed) == (limit, False)
    assert bench.sink.stdout == b"on\ntold\n"


def test_a_timeout_that_takes_sigkill(bench: Any) -> None:
    outcome = bench.shell("trap '' TERM; while :; do sleep 1; done", timeout=SECOND, kill_grace=SECOND / 10)
    assert isinstance(outcome, TimedOut)
    assert outcome.killed


def test_a_stopped_process_is_woken_to_be_told(bench: Any) -> None:
    outcome = bench.shell("kill -STOP $$", timeout=SECOND / 2, kill_grace=LONG)
    assert isinstance(outcome, TimedOut)
    assert not outcome.killed


def test_a_cancel_gives_the_whole_group_its_grace(bench: Any, collected: Any) -> None:
    control = Control()
    sink = collected(lambda out: out.count(b"on") == 2, lambda: control.stop(StopReason.CANCELLED))
    inner = "trap 'sleep 0.2; echo cleaned; exit' TERM; echo on; sleep 100 & wait"
    outcome = bench.shell(f'sh -c "{inner}" & echo on; wait', control=control, sink=sink, kill_grace=LONG)
    assert isinstance(outcome, Stopped)
    assert (outcome.reason, outcome.killed) == (StopReason.CANCELLED, False)
    assert b"cleaned" in sink.stdout


def test_a_cancel_at_once_does_not_ask(bench: Any, collected: Any) -> None:
    control = Control()
    sink = collected(then=lambda: control.stop(StopReason.CANCELLED, now=True))
    line = "trap 'echo told' TERM; echo on; sleep 100 & wait; wait"
    outcome = bench.shell(line, control=control, sink=sink, kill_grace=LONG)
    assert isinstance(outcome, Stopped)
    assert outcome.killed
    assert sink.stdout == b"on\n"


def test_a_second_stop_does_not_wait_for_the_grace(bench: Any, collected: Any) -> None:
    control = Control()

    def twice() -> None:
        control.stop(StopReason.INTERRUPTED)
        threading.Timer(0.1, control.stop, (StopReason.INTERRUPTED, True)).start()

    line = "trap '' TERM; echo on; while :; do sleep 1; done"
    outcome = bench.shell(line, control=control, sink=collected(then=twice), kill_grace=LONG)
    assert isinstance(outcome, Stopped)
    assert (outcome.reason, outcome.killed) == (StopReason.INTERRUPTED, True)


def test_a_stop_before_the_start_starts_nothing(bench: Any) -> None:
    control = Control()
    control.stop(StopReason.CANCELLED)
    control.stop(StopReason.FENCED)
    outcome = bench.shell("echo on", control=control)
    assert outcome == Stopped(reason=StopReason.FENCED)
    assert bench.sink.pieces == []


def test_a_sink_that_fails_ends_the_attempt(bench: Any, collected: Any, survivors: Callable[..., Any]) -> None:
    def fail() -> None:
        raise RuntimeError("the store is gone")

    sink = collected(then=fail)
    with pytest.raises(RuntimeError):
        bench.shell("echo on; sleep 100", sink=sink)
    assert survivors(sink.pids) == []


def test_nothing_leaks(bench: Any) -> None:
    def all_kinds() -> None:
        bench.shell("echo 1; exit 1")
        bench.run(Command(argv=("no-such-program",)))
        bench.run(Command(argv=("{x}",)))
        bench.shell("sleep 9", timeout=timedelta(milliseconds=20))

    all_kinds()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        all_kinds()
    assert len(os.listdir("/proc/self/fd")) == before


def test_many_at_once(bench: Any, collected: Any) -> None:
    outcomes: list[Any] = []

    def work(number: int) -> None:
        for _ in range(10):
            sink = collected()
            job = bench.job(Command(line=f"echo {number}; echo {number} > $JOBRUNNER_RESULT_FILE"))
            outcomes.append((bench.execution.execute(bench.spec(job), Control(), sink).result, sink.stdout, number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80
    assert all(result == number and out == b"%d\n" % number for result, out, number in outcomes)


def test_resources_are_told(bench: Any) -> None:
    code = "x = b'x' * 100_000_000; sum(range(2_000_000))"
    outcome = bench.run(Command(argv=(sys.executable, "-c", code)))
    assert outcome.peak_memory > 100_000_000
    assert outcome.cpu > 0.01


def test_json_of_a_large_environment_passes(bench: Any) -> None:
    results = {"parent": "x" * 100_000}
    spec = {"parent_results": results, "env": {f"V{number}": "y" * 10_000 for number in range(60)}}
    bench.shell('printf %s "$JOBRUNNER_PARENT_RESULTS"', spec=spec)
    assert json.loads(bench.sink.stdout) == results
