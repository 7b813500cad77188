"""Commands whose reader has gone end without a word, as other programs do."""

import subprocess
import sys

import pytest
from results_factory import ROOT


@pytest.mark.parametrize(
    "words", ["list", "list --schema", "list --columns", "claims", "claims --format json", "--help", "claims --help"]
)
def test_a_closed_pipe_is_no_error(words):
    code = "import sys; from bench.cli import main; sys.argv[0] = 'bench'; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words.split()], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        program.stdout.close()
        said = program.stderr.read()
    assert (said, program.returncode) == (b"", 141)
