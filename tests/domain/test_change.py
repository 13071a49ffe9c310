"""What another file means: jobs that come and go, renames that are certain, keys, fires gained and lost, secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.domain.change import MOST_FIRES, JobChange, KeyChange, Meaning, keys_changed, meaning, shown
from jobrunner.domain.jobfile import Jobfile

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""
DAY = timedelta(days=1)

Change = Callable[[str, str], Meaning]
Read = Callable[[str], Jobfile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    path = tmp_path / "jobs.toml"
    path.touch(mode=0o600)
    return lambda text: jobfile.read(path, {str(path): 'jobrunner.timezone = "UTC"\n' + text})


@pytest.fixture
def change(read: Read) -> Change:
    return lambda before, after: meaning(read(before), read(after), NOW)


def job(name: str, *lines: str) -> str:
    return f"[jobs.{name}]\n" + "\n".join(lines or ('command = "true"',)) + "\n"


def nightly(name: str, schedule: str = "0 2 * * *", *more: str) -> str:
    return job(name, 'command = "true"', f'schedule = "{schedule}"', *more)


def only(found: Meaning) -> JobChange:
    (one,) = found.changed
    assert (found.added, found.removed, found.renamed) == ((), (), ())
    return one


def test_the_same_means_nothing(change: Change) -> None:
    assert change(nightly("a"), "# a comment\n" + nightly("a").replace(" = ", "=")).nothing


def test_jobs_come_and_go_with_their_fires(change: Change) -> None:
    found = change(nightly("a"), job("b", 'command = "other"'))
    assert [(one.job, one.fires and (one.fires.gained, one.fires.lost)) for one in found.removed] == [("a", (0, 7))]
    assert [one.job for one in found.added] == ["b"]
    assert found.jobs == ("a",)


def test_a_rename_is_one_where_there_is_no_doubt(change: Change) -> None:
    (found,) = change(nightly("a"), nightly("b")).renamed
    assert (found.was, found.job, found.keys) == ("a", "b", ())
    two = change(nightly("a") + nightly("b"), nightly("c") + nightly("d"))
    assert not two.renamed
    assert (len(two.added), len(two.removed)) == (2, 2)
    (other,) = change(nightly("a"), nightly("b", "0 3 * * *")).renamed
    assert (other.was, other.job, [one.key for one in other.keys]) == ("a", "b", ["schedule"])
    assert not change(nightly("a"), nightly("b").replace('"true"', '"false"').replace("a.sh", "b.sh")).renamed


def test_jobs_that_are_swapped_are_changed(change: Change) -> None:
    found = change(nightly("a") + nightly("b", "0 3 * * *"), nightly("b") + nightly("a", "0 3 * * *"))
    assert [one.job for one in found.changed] == ["a", "b"]
    assert not found.renamed


def test_a_schedule_of_h_fires_elsewhere_under_another_name(change: Change) -> None:
    (found,) = change(nightly("a", "H H * * *"), nightly("b", "H H * * *")).renamed
    assert found.fires is not None
    assert (found.fires.gained, found.fires.lost) == (7, 7)


def test_fires_gained_and_lost_are_counted_and_the_first_are_told(change: Change) -> None:
    found = only(change(nightly("a"), nightly("a", "0 2,14 * * *"))).fires
    assert found is not None
    assert (found.gained, found.lost, found.counted) == (7, 0, True)
    assert found.first_gained == tuple(NOW + timedelta(hours=2) + n * DAY for n in range(3))


@pytest.mark.parametrize("line", ["enabled = false", "shadow = true"])
def test_a_job_that_is_switched_off_loses_its_fires(change: Change, line: str) -> None:
    found = only(change(nightly("a"), nightly("a", "0 2 * * *", line))).fires
    assert found is not None
    assert (found.gained, found.lost) == (0, 7)


def test_days_of_a_calendar_are_taken_off(change: Change) -> None:
    body = nightly("a", "0 2 * * *", 'blackout = ["off"]')
    free = "[calendars.off]\ndates = []\n" + body
    taken = '[calendars.off]\ndates = ["2026-11-25", "2026-11-28", "2030-01-01"]\n' + body
    found = change(free, taken)
    one = only(found)
    assert one.keys == ()
    assert one.fires is not None
    assert (one.fires.gained, one.fires.lost) == (0, 2)
    assert one.fires.first_lost[0] == datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert [key.key for key in found.settings] == ["calendars.off"]
    later = only(change(taken, taken + 'on_blackout = "defer"\n')).fires
    assert later is not None
    assert later.gained == 2


def test_of_many_fires_only_those_are_compared_that_both_were_looked_at(change: Change) -> None:
    found = only(change(nightly("a", "* * * * * *"), nightly("a", "*/2 * * * * *"))).fires
    assert found is not None
    assert (found.gained, found.lost, found.counted) == (0, MOST_FIRES // 2, False)


def test_keys_are_told_before_and_after(change: Change) -> None:
    found = only(change(job("a"), job("a", 'command = "true"', "retries = 2", 'env.LANG = "C"')))
    assert found.keys == (KeyChange("retries", None, 2), KeyChange("env.LANG", None, "***"))
    assert found.fires is None


def test_true_is_another_value_than_one(change: Change) -> None:
    before, after = ('python = "a:b"\nparams.x = { type = "json", default = ' + value + " }" for value in ("1", "true"))
    assert [key.key for key in only(change(job("a", before), job("a", after))).keys] == ["params.x"]


def test_what_may_be_a_secret_is_not_told(read: Read) -> None:
    def definition(secret: str) -> str:
        text = (
            'http = { url = "http://x/", headers = { Authorization = "%s", Accept = "${A}" } }\n'
            'env = { PLAIN = "%s", REFERENCE = "${A}${file:/run/%s}" }\n'
            'params.key = { secret = true, default = "%s" }\nparams.open = { default = "seen-%s" }\n'
        )
        return read(job("a", text % ((secret,) * 5))).jobs["a"].definition

    found = {one.key: one for one in keys_changed(definition("hush1"), definition("hush2"))}
    assert set(found) == {"http", "env.PLAIN", "env.REFERENCE", "params.key", "params.open"}
    assert found["env.PLAIN"] == KeyChange("env.PLAIN", "***", "***")
    assert found["env.REFERENCE"].after == "${A}${file:/run/hush2}"
    assert found["params.key"].after["default"] == "***"
    assert found["params.open"].after["default"] == "seen-hush2"
    assert found["http"].after["headers"] == {"Authorization": "***", "Accept": "${A}"}
    whole = shown(definition("hush"))
    assert repr(whole).count("hush") == 2  # the reference, and the parameter that is no secret
    assert whole["env"]["PLAIN"] == "***"


def test_settings_name_those_that_wait_for_a_restart(change: Change) -> None:
    found = change('jobrunner.store = "sqlite:///a.db"\n', 'jobrunner.store = "postgresql://u:hush@h/d"\n')
    assert found.settings == (KeyChange("store", "***", "***"),)
    assert found.restart == ("store",)
    assert change("", "[limits.api]\nmax = 2\n").settings == (KeyChange("limits.api", None, True),)


def test_many_jobs_share_the_fires_that_are_looked_at(change: Change) -> None:
    before = "".join(nightly(f"j{n}", "* * * * *") for n in range(100))
    found = change(before, before.replace("* * * * *", "*/2 * * * *"))
    assert len(found.changed) == 100
    assert all(one.fires and not one.fires.counted and one.fires.lost > 100 for one in found.changed)
