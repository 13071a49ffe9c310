"""A text of jobs.toml with one value changed, added or removed and every other byte as it was. Called by ``editing``.

Where a change is to be made is asked of the text's layout, and what came out is read again: it has to say exactly what
was wanted, else nothing is changed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomli

from jobrunner.errors import Refused, UsageError
from jobrunner.jobfile.layout import Inline, Keys, Layout, Pair

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def parse_assignment(text: str) -> tuple[Keys, Any]:
    """``KEY=VALUE`` as keys and value: VALUE is TOML where it reads as TOML, else a text.

    Raises:
        UsageError: there is no ``=``, or KEY is no key.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not KEY=VALUE", hint="for example timeout=30m")
    return parse_key(key.strip()), parse_value(value.strip())


def parse_key(text: str) -> Keys:
    """A dotted key as its parts. Raises UsageError."""
    try:
        tree: Any = tomli.loads(f"{text} = 0") if "\n" not in text else None
    except (ValueError, RecursionError):
        tree = None
    keys = list[str]()
    while isinstance(tree, dict) and len(tree) == 1:
        (name, tree), *_ = tree.items()
        keys.append(name)
    if not keys or tree != 0:
        raise UsageError(f"{text!r} cannot be a key", hint="for example timeout, or env.LANG")
    return tuple(keys)


def parse_value(text: str) -> Any:
    """TOML where it reads as TOML, else the text itself."""
    try:
        tree = tomli.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tree["value"] if len(tree) == 1 else text


def set_value(text: str, path: Keys, value: Any) -> str:
    """The text with the value at a path set; a path that has none gets a line where it belongs.

    Raises:
        Refused: that cannot be done by changing one place.
    """
    wanted = copy.deepcopy(tomli.loads(text))
    if _get(wanted, path) == value and type(_get(wanted, path)) is type(value):
        return text
    _put(wanted, path, value)
    return _checked(_with(Layout(text), path, write(value)), wanted, path)


def remove_value(text: str, path: Keys) -> str:
    """The text without the value, or the table, at a path. Raises Refused."""
    wanted = copy.deepcopy(tomli.loads(text))
    _drop(wanted, path)
    return _checked(_without(Layout(text), path), wanted, path)


def add_job(text: str, name: str, table: Mapping[str, Any]) -> str:
    """The text with a new job at its end."""
    lines = [f"[jobs.{spell((name,))}]", *(f"{spell((key,))} = {write(value)}" for key, value in table.items())]
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join(lines) + "\n"


def rename_job(text: str, name: str, other: str) -> str:
    """The text with another name in the headers of the tables of a job.

    Raises:
        Refused: it is spelled in another way than by headers, or there is such a job already.
    """
    wanted = tomli.loads(text)
    jobs = wanted.get("jobs", {})
    if other in jobs:
        raise Refused(f"there is a job {other} already")
    wanted["jobs"] = {other if job == name else job: table for job, table in jobs.items()}
    layout = Layout(text)
    raw = layout.raw
    for header in reversed([one for one in layout.headers if one.path[:2] == ("jobs", name)]):
        _, bracket, rest = raw[header.start : layout.line(header.start)[1]].partition(b"]")
        line = f"[{spell(('jobs', other, *header.path[2:]))}".encode() + bracket + rest
        raw = raw[: header.start] + line + raw[layout.line(header.start)[1] :]
    return _checked(raw.decode(), wanted, ("jobs", other))


def write(value: Any) -> str:
    """A value as TOML, on one line where it has no line breaks of its own."""
    import tomlkit

    if isinstance(value, dict):
        pairs = ", ".join(f"{spell((key,))} = {write(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(write, value))}]"
    return str(tomlkit.item(value).as_string())


def spell(path: Sequence[str]) -> str:
    """A path as a dotted key."""
    return ".".join(part if _BARE.fullmatch(part) else write(part) for part in path)


def _with(layout: Layout, path: Keys, value: str) -> str:
    pair = layout.pair(path)
    if pair is not None:
        return _spliced(layout, *pair.value, value)
    for length in range(len(path) - 1, 0, -1):
        inline = layout.inlines.get(path[:length])
        if inline is not None:
            return _into_inline(layout, inline, f"{spell(path[length:])} = {value}")
        header = layout.header(path[:length])
        if header is not None:
            return _after(layout, *header.last, f"{spell(path[length:])} = {value}")
        dotted = _last_dotted(layout, path[:length])
        if dotted is not None:
            own = dotted.own[: len(dotted.own) - (len(dotted.path) - length)] + path[length:]
            return _after(layout, dotted.start, dotted.value[1], f"{spell(own)} = {value}")
        below = next((one for one in layout.headers if one.path[:length] == path[:length]), None)
        if below is not None:
            start = layout.line(below.start)[0]
            return _spliced(layout, start, start, f"[{spell(path[:length])}]\n{spell(path[length:])} = {value}\n\n")
    return layout.raw.decode()


def _last_dotted(layout: Layout, path: Keys) -> Pair | None:
    """The last pair that spells a table by dots, so that the table has no header of its own."""
    dotted = [pair for pair in layout.within(path) if len(pair.path) - len(pair.own) < len(path)]
    return dotted[-1] if dotted else None


def _into_inline(layout: Layout, inline: Inline, pair: str) -> str:
    if inline.last is None:
        return _spliced(layout, inline.start, inline.end, "{ " + pair + " }")
    return _spliced(layout, inline.last, inline.last, f", {pair}")


def _after(layout: Layout, first: int, last: int, pair: str) -> str:
    """A line below what begins and ends there, indented as that is; what is no pair is a header."""
    before = layout.raw[layout.line(first)[0] : first].decode()
    indent = before if not before.strip() else ""
    start, end = layout.line(max(last - 1, 0))
    line = layout.raw[start:end]
    if not line.endswith(b"\n"):
        return _spliced(layout, end, end, f"\n{indent}{pair}")
    ending = "\r\n" if line.endswith(b"\r\n") else "\n"
    return _spliced(layout, end, end, f"{indent}{pair}{ending}")


def _without(layout: Layout, path: Keys) -> str:
    cuts = list[tuple[int, int]]()
    pair = layout.pair(path)
    if pair is not None and pair.inline:
        cuts.append(_inline_cut(layout, pair))
    elif pair is not None:
        cuts.append(_lines(layout, pair))
    cuts += [_lines(layout, one) for one in layout.within(path)]
    cuts += [(layout.line(one.start)[0], one.end) for one in layout.headers if one.path[: len(path)] == path]
    raw = layout.raw
    for start, end in sorted(set(cuts), reverse=True):
        raw = raw[:start] + raw[end:]
    return raw.decode()


def _lines(layout: Layout, pair: Pair) -> tuple[int, int]:
    return layout.line(pair.start)[0], layout.line(max(pair.value[1] - 1, pair.start))[1]


def _inline_cut(layout: Layout, pair: Pair) -> tuple[int, int]:
    """The pair with one of the commas around it."""
    raw, end = layout.raw, pair.value[1]
    after = re.compile(rb"\s*,[ \t]*").match(raw, end)
    if after:
        return pair.start, after.end()
    before = re.compile(rb",?\s*$").search(raw, 0, pair.start)
    return (before.start() if before and raw[before.start() : before.start() + 1] == b"," else pair.start), end


def _spliced(layout: Layout, start: int, end: int, text: str) -> str:
    return (layout.raw[:start] + text.encode() + layout.raw[end:]).decode()


def _checked(text: str, wanted: dict[str, Any], path: Keys) -> str:
    try:
        if _same(tomli.loads(text), wanted):
            return text
    except (ValueError, RecursionError):
        pass
    raise Refused(f"{spell(path)} cannot be changed in place", hint="use `jobrunner edit`")


def _same(one: Any, other: Any) -> bool:
    return repr(_sorted(one)) == repr(_sorted(other))  # NaN equals itself here, and 1 is neither true nor 1.0


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: _sorted(value[key]) for key in sorted(value)}
        return {key: inner for key, inner in found.items() if inner != {}}  # where a table is empty is no matter
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _get(tree: Any, path: Keys) -> Any:
    for name in path:
        if not isinstance(tree, dict) or name not in tree:
            return None
        tree = tree[name]
    return tree


def _put(tree: dict[str, Any], path: Keys, value: Any) -> None:
    for name in path[:-1]:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            raise Refused(f"{spell(path)} cannot be set: {name} is no table", hint="use `jobrunner edit`")
        tree = inner
    tree[path[-1]] = value


def _drop(tree: dict[str, Any], path: Keys) -> None:
    for name in path[:-1]:
        tree = tree.get(name, {})
    tree.pop(path[-1], None)
