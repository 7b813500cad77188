"""The `bench` command: each command parses, calls one function and prints.

Nothing but click is imported before a command runs, so that `bench --help` answers at once; torch is imported by
`run`, `retry`, `plan` and `doctor` alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bench.cli.check import check
from bench.cli.claims import claims
from bench.cli.compare import compare
from bench.cli.data import data
from bench.cli.explain import explain
from bench.cli.export import export
from bench.cli.findings import findings
from bench.cli.open import open_report
from bench.cli.options import KnownCommands, study_of
from bench.cli.results import report
from bench.cli.run import retry, run
from bench.cli.scoring import rescore, score
from bench.cli.training import doctor, plan, status
from bench.errors import BenchError, one_line
from bench.reporting.commands.places import CONFIG_FILE

CLOSED_PIPE = 141  # 128 + SIGPIPE, as of other programs whose reader has gone


@contextmanager
def _quiet_without_reader() -> Iterator[None]:
    """Ends the program without a word where whoever read its output has gone, as after `bench list | head -1`."""
    try:
        yield
    except (BrokenPipeError, SystemExit) as error:
        # rich makes a SystemExit of it
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or what is left to print would fail at the very end
        sys.exit(CLOSED_PIPE)


class ErrorsInOneLine(KnownCommands):
    """Prints what a user can cause as one line and leaves with its exit code."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parses the words before the command, which may print a help text."""
        with _quiet_without_reader():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        with _quiet_without_reader():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BenchError as error:
            click.echo(f"error: {one_line(error, 2000)}", err=True)
            sys.exit(self._exit_code(ctx, error.exit_code))
        except KeyboardInterrupt:
            click.echo("\ninterrupted; nothing half-written is left, the same command starts afresh", err=True)
            sys.exit(130)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "bench"
            said = one_line(error.format_message(), 2000).rstrip(".")
            click.echo(f"error: {said}. See `{command} --help`.", err=True)
            sys.exit(self._exit_code(ctx, error.exit_code))

    def _exit_code(self, ctx: click.Context, usual: int) -> int:
        """Returns what to end with after an error; a command may have a code of its own for that."""
        command = self.get_command(ctx, ctx.invoked_subcommand) if ctx.invoked_subcommand else None
        return int(getattr(command, "error_exit_code", usual))


@click.group(cls=ErrorsInOneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=CONFIG_FILE,
    show_default=True,
    metavar="FILE",
    help="The study; its folder also holds the stored baselines.",
)
@click.version_option(package_name="segnet-bench", prog_name="bench")
@click.pass_context
def main(ctx: click.Context, config: Path) -> None:
    """Replicate the SegNet paper (arXiv 1511.00561v3): train, measure, report and check its tables.

    Start with `bench run --suite decoder-variants`, then `bench report`.
    """
    ctx.obj = config


@click.command(name="list")
@click.option("--schema", is_flag=True, help="Print the JSON schema of bench.yaml instead.")
@click.option("--columns", is_flag=True, help="Print the columns of results files instead.")
@click.pass_context
def list_command(ctx: click.Context, schema: bool, columns: bool) -> None:
    """List suites, profiles, models, data sets and loss weightings."""
    from bench.reporting.commands.console import print_columns, print_names

    if schema and columns:
        raise click.UsageError("--schema and --columns print two things; choose one.")
    if schema:
        import json

        from bench.study.config import json_schema

        click.echo(json.dumps(json_schema(), indent=2))
    elif columns:
        print_columns()
    else:
        print_names(study_of(ctx))


commands = (
    run, retry, plan, status, report, findings, open_report, check, claims, compare, rescore, score, export, explain,
    list_command, data, doctor,
)  # fmt: skip
for command in commands:
    main.add_command(command)
