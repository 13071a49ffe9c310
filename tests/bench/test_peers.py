"""Every peer can be driven in the same way, and is named with the version that it is measured in."""

from __future__ import annotations

import ast
import re

import pytest

from bench import __main__ as command
from bench.options import Options
from bench.peers import ALL, settings, shares, wanted
from bench.peers.peer import Peer

each = pytest.mark.parametrize("peer", ALL, ids=lambda peer: peer.title)


@each
def test_a_peer_has_the_functions_that_the_driver_calls(peer: Peer) -> None:
    defined = set[str]()
    for node in ast.parse(peer.tasks).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined.update(target.id for target in node.targets if isinstance(target, ast.Name))
    assert {"enqueue", "send_stamp", "finished"} <= defined
    assert ("batch" in defined) == peer.batches


@each
def test_its_settings_name_the_version_that_is_installed(peer: Peer) -> None:
    name, version = re.fullmatch(r"([a-z]+)(?:\[.*])?==(.*)", peer.requirements[0]).groups()  # type: ignore[union-attr]
    assert peer.settings.startswith(f"{name} {version}, ")


def test_titles_are_different() -> None:
    assert len({peer.title for peer in ALL}) == len(ALL)


def test_some_peers_can_be_asked_for() -> None:
    some = wanted(Options(peers=("huey", "celery")))
    assert {peer.venv for peer in some} == {"huey", "celery"}
    assert shares(some, 1_000) == "Celery prefork, Redis 250"
    assert len(settings(some)) == len(some)
    assert wanted(Options(peers=("none",))) == ()


def test_what_cannot_be_measured_is_refused_with_what_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["drian"]) == 2
    assert "'drian'; there are drain, " in capsys.readouterr().err
