"""What all verbs have in common: the options that each takes, the look of their help, and the call they answer."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperOption

from jobrunner.errors import ConfigError

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.presentation.screen import Screen
    from jobrunner.presentation.times import Times

Function = TypeVar("Function", bound=Callable[..., int])


class Call:
    """One call of the command line: what was said to all verbs alike, and what they need to answer it.

    ``ends``: the process ends with it.
    """

    __slots__ = ("_told", "config", "debug", "ends", "json")

    def __init__(self, *, ends: bool = False) -> None:
        self.config: str | None = None
        self.debug = False
        self.json = False
        self.ends = ends
        self._told = set[str]()

    @classmethod
    def of(cls, context: typer.Context) -> Call:
        """The call that a verb's context belongs to."""
        call = context.find_root().obj
        assert isinstance(call, cls)
        return call

    @contextmanager
    def admin(self, *, warn: bool = True) -> Iterator[Admin]:
        """The use cases on the configuration that was named or found; its warnings go to standard error at the end.

        Without ``warn`` the rest of the file is not looked at: what a verb needs of it, it reads afterwards.

        Raises:
            ConfigError: there is none, or its ``[jobrunner]`` is invalid.
        """
        from jobrunner import wiring
        from jobrunner.domain.state import Trigger

        admin = wiring.make_admin(self.config, source=Trigger.MANUAL, warn=warn)
        try:
            yield admin
        except ConfigError as error:
            self._told |= {str(problem) for problem in error.problems}
            raise
        finally:
            self.tell(admin)
            admin.close(ending=self.ends)

    def stay(self, admin: Admin) -> None:
        """For verbs that stay, before they do: says the warnings, and looks for garbage from now on."""
        self.tell(admin)
        gc.enable()

    def tell(self, admin: Admin) -> None:
        """Says the warnings that have not been said."""
        from jobrunner.cli.output import say

        for warning in admin.warnings:
            if warning not in self._told:
                say(f"warning: {warning}")
        self._told.update(admin.warnings)

    def screen(self) -> Screen:
        """What standard output is."""
        import os

        from jobrunner.presentation.screen import Screen

        return Screen.of(sys.stdout, os.environ)

    def times(self, admin: Admin, job: str | None = None) -> Times:
        """How instants are written: in the zone of the job named, else the configuration's; relative on a terminal."""
        from jobrunner.domain.clock import SystemClock
        from jobrunner.presentation.times import Times

        try:
            zone = admin.zone(job)
        except ConfigError:  # the rest of the file may be wrong: what is looked at is in the store
            zone = admin.zone(None)
        return Times(now=SystemClock().now(), zone=zone, relative=sys.stdout.isatty())


def verb(*, examples: str, data: bool = True, positional: bool = False) -> Callable[[Function], Function]:
    """Marks a function as a verb: its examples for the help, and whether it prints data and so takes ``--json``.

    ``positional``: what follows the first argument is all arguments, dashes or not.

    Its module does without ``from __future__ import annotations``: typer would compile each annotation once more, of
    each function that it is told of, and with twenty options that is two of the sixty milliseconds of a completion.
    """

    def mark(function: Function) -> Function:
        function.__dict__.update(examples=examples, data=data, positional=positional)
        return function

    return mark


def build(name: str, function: Callable[..., int]) -> Verb:
    """The command of a function that ``verb`` marked, with the options that all verbs take."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"allow_interspersed_args": not function.__dict__["positional"], "help_option_names": ["-h", "--help"]}
    app.command(name, cls=Verb, epilog=function.__dict__["examples"], context_settings=settings)(function)
    command = typer.main.get_command(app)
    assert isinstance(command, Verb)
    command.params += common_options(json=function.__dict__["data"])
    return command


def common_options(*, json: bool) -> list[TyperOption]:
    """``--config``, ``--debug`` and, where data is printed, ``--json``; they note what they are given in the call."""
    config = _option("config", ["-c", "--config"], "The jobs.toml to use.", metavar="FILE", type=str)
    as_json = _option("json", ["--json"], "Print JSON.", is_flag=True)
    debug = _option("debug", ["--debug"], "Show the traceback of an error.", is_flag=True)
    return [config, as_json, debug] if json else [config, debug]


class Verb(TyperCommand):
    """A command whose help has the arguments first, in plain words, and ends with examples."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        arguments = [param.make_metavar(ctx) for param in self.params if param.param_type_name == "argument"]
        if self.callback and self.callback.__dict__["positional"]:
            return ["[OPTIONS]", "--", *arguments]
        return [*arguments, "[OPTIONS]"]

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


def _option(name: str, spellings: list[str], help: str, **how: Any) -> TyperOption:
    def note(context: typer.Context, _: Any, value: Any) -> None:
        if value is not None and value is not False:
            setattr(Call.of(context), name, value)

    return TyperOption(param_decls=spellings, help=help, callback=note, expose_value=False, **how)
