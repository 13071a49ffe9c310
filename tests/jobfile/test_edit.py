"""One value changed in a text of jobs.toml, and every other byte as it was."""

import copy
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.errors import Refused, UsageError
from jobrunner.jobfile import edit
from jobrunner.jobfile.layout import Layout, lines_of_job

FORMS = {
    "a table": '# top\n[jobs.a]   # c\ncommand = "x"  # why\ntimeout = \'1h\'   # keep\n\n[jobs.b]\ncommand = "y"\n',
    "sub-tables": '[jobs.a]\ncommand = "x"\n\n[jobs.a.params.t]\ndefault = "q"\n\n[jobs.b]\ncommand = "y"\n',
    "dotted": '[jobs.a]\ncommand = "x"\nretry_on.exit_codes = [1,\n  2]\n[jobs.b]\ncommand="y"\n',
    "inline": 'jobs.a = { command = "x", timeout = "1h" } # c\n[jobs.b]\ncommand = "y"\n',
    "inline in jobs": '[jobs]\na = { command = "x" } # c\nb = { command = "y" }\n',
    "empty inline": "[jobs]\na = {}\n",
    "out of order": '[jobs.a]\ncommand = "x"\n[defaults]\ntimeout = "1h"\n[jobs.a.params.z]\ntype = "int"\n',
    "CRLF": '[jobs.a]\r\ncommand = "x"\r\n\r\n[jobs.b]\r\ncommand = "y"\r\n',
    "no last line break": '[jobs.a]\ncommand = "x"',
    "sub-tables only": '[jobs.a.params.t]\ntype="int"\n[jobs.a.env]\nX = "1"\n[jobs]\n',
    "indented": '[jobs.a]\n  command = "x" # k\n  # end\n\n# about b\n[jobs.b]\ncommand="y"\n',
    "dotted in jobs": '[jobs]\na.command = "x"\nb.command = "y"\n',
    "dotted at the top": 'jobs.a.command = "x"\njobs.b.command = "y"\n',
    "many lines": '[jobs.a]\ncommand = """\nfoo\nbar"""  # z\n[jobs.b]\ncommand="y"\n',
    "a quoted name": '[jobs."a"]\n"command" = "x"\n',
    "wide characters": '# größe ✓\n[jobs.a]\ndescription = "ü✓"  # é\ncommand = "x"\n',
    "a long list": '[jobs.a]\ncommand = [\n  "x",  # one\n  "y",\n]\n',
}
VALUES: list[tuple[tuple[str, ...], Any]] = [
    (("timeout",), "2h"),
    (("enabled",), False),
    (("retries",), 3),
    (("env", "Y"), "ü\n\"'\\"),
    (("command",), ["a", "b {x}"]),
    (("sla", "start_within"), "5m"),
    (("http",), {"url": "http://x", "headers": {"A b": "c"}}),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ".".join(value[0]))
@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_value_is_set_and_nothing_else_is_touched(text: str, value: tuple[tuple[str, ...], Any]) -> None:
    path = ("jobs", "a", *value[0])
    changed = edit.set_value(text, path, value[1])
    assert tomllib.loads(changed) == _with(tomllib.loads(text), path, value[1])
    assert _touches_one_place(text, changed)
    if _get(tomllib.loads(text), path) is None:
        assert _untouched_lines(text, changed)
        assert edit.remove_value(changed, path) in (text, text + "\n", *_emptied(text, changed, path))
    assert edit.set_value(changed, path, value[1]) == changed


def _emptied(text: str, changed: str, path: tuple[str, ...]) -> list[str]:
    """Where a header or braces had to be made for the value, they stay, and mean the same."""
    left = edit.remove_value(changed, path)
    same = _pruned(tomllib.loads(left)) == _pruned(tomllib.loads(text))
    return [left] if same and ("[jobs.a]\n" in left or "{" in text) else []


names = st.text("abcdefgh-_é .", min_size=1, max_size=6)
scalars = st.one_of(
    st.text(max_size=12),
    st.integers(-10, 10**6),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(st.text(max_size=4)),
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text with jobs in random spellings, with comments and blank lines, and the names of its jobs."""
    jobs = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    lines = draw(st.sampled_from([["# head"], [], ["", "[defaults]", 'timeout = "1h" # d', ""]]))
    for job in jobs:
        lines.append(f"[jobs.{edit.spell((job,))}]" + draw(st.sampled_from(["", "  # about it"])))
        keys = draw(st.dictionaries(names, scalars, max_size=4))
        indent = draw(st.sampled_from(["", "  ", "\t"]))
        for key, value in keys.items():
            gap = draw(st.sampled_from([" = ", "=", "   =  "]))
            remark = draw(st.sampled_from(["", " # why = [not]", "\t#"]))
            lines.append(f"{indent}{edit.spell((key,))}{gap}{edit.write(value)}{remark}")
            lines += draw(st.sampled_from([[], [""], ["# between"]]))
        if draw(st.booleans()):
            lines += [f"[jobs.{edit.spell((job,))}.env]", *(f'E{n} = "1"' for n in range(draw(st.integers(0, 2))))]
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    return ending.join(lines) + draw(st.sampled_from(["", ending])), jobs


@given(documents(), st.data())
def test_any_key_of_any_document_is_set_in_one_place(document: tuple[str, list[str]], data: st.DataObject) -> None:
    text, jobs = document
    before = tomllib.loads(text)
    job = data.draw(st.sampled_from(jobs))
    table = before["jobs"].get(job, {})
    known = [key for key in table if not isinstance(table[key], dict)]
    key = data.draw(st.sampled_from(known) if known and data.draw(st.booleans()) else names)
    if isinstance(table.get(key), dict):
        return
    path, value = ("jobs", job, key), data.draw(scalars)
    changed = edit.set_value(text, path, value)
    assert tomllib.loads(changed) == _with(before, path, value)
    assert _touches_one_place(text, changed)
    if key not in table:
        assert _pruned(tomllib.loads(edit.remove_value(changed, path))) == _pruned(before)


@given(st.text(max_size=20))
def test_a_value_that_is_no_toml_is_a_text(text: str) -> None:
    value = edit.parse_value(text)
    try:
        assert value == tomllib.loads(f"value = {text}").get("value", text)
    except ValueError:
        assert value == text


@pytest.mark.parametrize(
    ("text", "keys", "value"),
    [
        ("timeout=1h", ("timeout",), "1h"),
        ("retries = 3", ("retries",), 3),
        ("env.LANG=C", ("env", "LANG"), "C"),
        ('env."A B"="x"', ("env", "A B"), "x"),
        ("schedule=0 2 * * *", ("schedule",), "0 2 * * *"),
        ('schedule=["@daily", "@hourly"]', ("schedule",), ["@daily", "@hourly"]),
        ("enabled=true", ("enabled",), True),
        ("description=", ("description",), ""),
        ("command=a=b", ("command",), "a=b"),
        ("description=x\ny = 1", ("description",), "x\ny = 1"),
        ("sla={ start_within = '5m' }", ("sla",), {"start_within": "5m"}),
    ],
)
def test_an_assignment_is_toml_where_it_reads_as_toml(text: str, keys: tuple[str, ...], value: Any) -> None:
    assert edit.parse_assignment(text) == (keys, value)


@pytest.mark.parametrize("text", ["timeout", "=1", "a b=1", "a.=1", "x\ny=1", "[a]=1", "#=1"])
def test_what_is_no_assignment_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"KEY=VALUE|cannot be a key"):
        edit.parse_assignment(text)


def test_a_key_below_a_value_is_refused() -> None:
    with pytest.raises(Refused, match="is no table"):
        edit.set_value('[jobs.a]\ncommand = "x"\n', ("jobs", "a", "command", "y"), 1)


def test_a_table_is_removed_with_all_that_belongs_to_it() -> None:
    text = '[jobs.a]\ncommand = "x"\n[jobs.a.env]\nX = "1"\n\n[jobs.b]\ncommand = "y"\n'
    assert edit.remove_value(text, ("jobs", "a", "env")) == '[jobs.a]\ncommand = "x"\n\n[jobs.b]\ncommand = "y"\n'


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("a = { x = 1, y = 2, z = 3 }", "a = { x = 1, z = 3 }"),
        ("a = { y = 2, z = 3 }", "a = { z = 3 }"),
        ("a = { x = 1, y = 2 }", "a = { x = 1 }"),
        ("a = { y = 2 }", "a = {  }"),
    ],
)
def test_a_pair_goes_with_its_comma(text: str, removed: str) -> None:
    assert edit.remove_value(text, ("a", "y")) == removed


def test_the_lines_of_a_job_are_its_tables_and_the_comment_above() -> None:
    text = '[defaults]\nretries = 1\n\n# about a\n# more\n[jobs.a]\ncommand = "x"\n'
    text += '[jobs.a.env]\nX = "1"\n\n# b\n[jobs.b]\n'
    lines = lines_of_job(text, "a")
    assert lines is not None
    assert text[slice(*lines)] == '# about a\n# more\n[jobs.a]\ncommand = "x"\n[jobs.a.env]\nX = "1"\n\n'
    assert text[slice(*(lines_of_job(text, "b") or (0, 0)))] == "# b\n[jobs.b]\n"


@pytest.mark.parametrize(
    "text",
    [
        FORMS["out of order"],
        FORMS["inline"],
        FORMS["dotted at the top"],
        FORMS["dotted in jobs"],
        '[jobs]\na.command = "x"\n[jobs.a.env]\nX = "1"\n',
        "not toml",
    ],
)
def test_a_job_that_does_not_stand_in_one_place_has_no_lines(text: str) -> None:
    assert lines_of_job(text, "a") is None


def test_a_new_job_stands_at_the_end() -> None:
    assert edit.add_job("x = 1\n", "a b", {"command": ["y"], "env": {"A": "1"}}) == (
        'x = 1\n\n[jobs."a b"]\ncommand = ["y"]\nenv = { A = "1" }\n'
    )


def _touches_one_place(before: str, after: str) -> bool:
    """Whether what differs is one stretch that holds no comment and no other key of before."""
    start = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    replaced = before[start : len(before) - tail]
    return not replaced or _within_one_value(before, start, len(before) - tail)


def _within_one_value(text: str, start: int, end: int) -> bool:
    layout = Layout(text)
    first, last = len(text[:start].encode()), len(text[:end].encode())
    return any(pair.value[0] <= first and last <= pair.value[1] for pair in layout.pairs)


def _untouched_lines(before: str, after: str) -> bool:
    """Whether every line of before is in after, in order; one with an inline table may have grown."""
    lines = iter(after.split("\n"))
    return all(
        any(
            line.rstrip("\r") == found.rstrip("\r") or ("{" in line and line.split("}")[-1] in found) for found in lines
        )
        for line in before.split("\n")
    )


def _with(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    tree = inner = copy.deepcopy(tree)
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return tree


def _get(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _pruned(tree: Any) -> Any:
    if isinstance(tree, dict):
        found = {key: _pruned(value) for key, value in tree.items()}
        return {key: value for key, value in found.items() if value != {}}
    return tree
