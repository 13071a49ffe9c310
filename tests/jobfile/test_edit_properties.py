"""Every way to edit, over random files: what was meant is changed, and every other byte stays."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner import jobfile
from jobrunner.admin.editing import Part
from jobrunner.domain.change import keys_changed
from jobrunner.jobfile import edit
from jobrunner.jobfile.layout import lines_of_job
from jobrunner.jobfile.restore import restored
from jobrunner.jobfile.rewrite import Original

BRIEF = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
SPELLINGS = [
    ['timeout = "1h"', "timeout  =  '2h' # why = [not]", '"timeout"="90s"'],
    ["retries = 3", "retries=0", "\tretries = 1_0"],
    [
        'schedule = "0 2 * * *"',
        'schedule = [\n  "0 2 * * *",  # one, "two"\n\n  "@daily",\n]',
        'schedule = { cron = "@daily" }',
    ],
    ["tags = []", 'tags = [ "a", # x ]\n "c" ]', "tags = ['''u''',\n]"],
    ['env = { A = "1", "B.C" = "2" }', 'env.A = "1"\n# between\nenv."B.C" = "3"', "env = {}"],
    ["enabled = false", "enabled = true#", "  enabled = false"],
    ["retry_on.exit_codes = [1,\n\n 2]", "retry_on = { exit_codes = [1] }", 'retry_on = {exit_codes=[3]  }  # "}"'],
    ['description = """\n[jobs.b]\nenabled = 1"""', "description = 'é # no'", 'description = "\\"\\\\"'],
    ['sla = { start_within = "5m" }', 'sla.start_within = "1m"\nsla.finish_within = "2m"', "priority = -1"],
]
"""Keys of a job with values, each in some of the ways in which people write them."""

TABLES = ['[jobs.{0}.params.p]\ntype = "int"  # of p\ndefault = 1', "[jobs.{0}.params.q]\n\ntype = 'string'", ""]
REMARKS = ["", "# about [jobs.b]", "\n\n", '# "quoted', "#\n# two"]
HEADS = ["", "# head\n", '[defaults]\nqueue = "low" # d\n\n', '[jobrunner]\ntimezone = "Asia/Tokyo"\n']


@st.composite
def tables(draw: st.DrawFn, job: str) -> str:
    """The lines of a job, whatever is odd about them, and valid."""
    keys = draw(st.lists(st.sampled_from(SPELLINGS), max_size=5, unique_by=lambda forms: forms[0]))
    lines = [f"[jobs.{job}]" + draw(st.sampled_from(["", "   # important"])), "command = 'true'"]
    for forms in keys:
        lines.append(draw(st.sampled_from(forms)))
        lines += [remark] if (remark := draw(st.sampled_from(REMARKS))) else []
    lines.append(draw(st.sampled_from(TABLES)).format(job))
    return "\n".join(lines) + "\n"


@st.composite
def files(draw: st.DrawFn, *jobs: str) -> str:
    parts = [draw(st.sampled_from(HEADS))]
    for job in jobs:
        parts += [draw(tables(job)), draw(st.sampled_from([*REMARKS, "# above"])), "\n"]
    return _ended("".join(parts), draw(st.booleans()))


def _ended(text: str, windows: bool) -> str:
    return text.replace("\n", "\r\n") if windows else text


def _table(text: str, job: str) -> Any:
    return tomllib.loads(text)["jobs"].get(job)


def _part(text: str, job: str) -> Part:
    found = lines_of_job(text, job)
    assert found is not None
    start, end = found
    raw = text.encode()
    return Part(Original("/x", "x", text, raw), raw[start:end].decode(), raw[:start].count(b"\n"), start, end)


@BRIEF
@given(files("a", "b", "c"), st.sampled_from("abc"))
def test_the_lines_of_a_job_are_all_of_it_and_nothing_else(text: str, job: str) -> None:
    part = _part(text, job)
    assert part.put(part.text) == text
    assert tomllib.loads(part.text) == {"jobs": {job: _table(text, job)}}
    without = tomllib.loads(part.put(""))
    assert without.get("jobs", {}).keys() == {"a", "b", "c"} - {job}
    assert text.encode().split(b"\n")[part.lines_before :][0].decode() == part.text.split("\n")[0]


@BRIEF
@given(files("a", "b", "c"), st.sampled_from("abc"), st.data())
def test_other_lines_in_the_place_of_a_jobs_change_no_other_byte(text: str, job: str, data: st.DataObject) -> None:
    part = _part(text, job)
    fresh = _ended(data.draw(tables(job)).rstrip("\n"), "\r\n" in text)
    changed = part.put(fresh).encode()
    assert changed.startswith(part.original.raw[: part.start])
    assert changed.endswith(part.original.raw[part.end :])
    wanted = tomllib.loads(text)
    wanted["jobs"] |= tomllib.loads(fresh)["jobs"]
    assert tomllib.loads(changed.decode()) == wanted


@BRIEF
@given(files("a", "b"), st.sampled_from("ab"), st.booleans())
def test_enable_and_disable_change_one_word(text: str, job: str, enabled: bool) -> None:
    path = ("jobs", job, "enabled")
    changed = edit.set_value(text, path, enabled)
    wanted = tomllib.loads(text)
    wanted["jobs"][job]["enabled"] = enabled
    assert tomllib.loads(changed) == wanted
    before, after = text.splitlines(keepends=True), changed.splitlines(keepends=True)
    differ = [line for line in before if line not in after]
    assert all("enabled" in line for line in differ)
    assert len(differ) <= 1
    back = edit.set_value(changed, path, not enabled)
    assert edit.set_value(back, path, enabled) == changed
    assert ("\r\n" in text) is ("\r\n" in changed and "\n" not in changed.replace("\r\n", ""))


@BRIEF
@given(files("a", "b"), st.data())
def test_rollback_makes_a_job_what_it_was_and_nothing_else(text: str, data: st.DataObject) -> None:
    fresh = _ended(data.draw(tables("a")), "\r\n" in text)
    now = _part(text, "a").put(fresh)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "jobs.toml")
        path.touch(mode=0o600)
        then, current = (jobfile.read(path, {str(path): each}) for each in (text, now))
        path.write_bytes(now.encode())
        back = restored(now, path, "a", then.jobs["a"].definition)
        found = jobfile.read(path, {str(path): back})
    assert keys_changed(found.jobs["a"].definition, then.jobs["a"].definition) == ()
    assert found.jobs["b"].definition == current.jobs["b"].definition
    assert back.encode().endswith(now.encode()[_part(now, "a").end :])
