"""``--quiet``, and what a shell completes."""

import os
import subprocess
import sys

import pytest

from .test_cli import run  # noqa: F401 - a fixture


def test_quiet_leaves_out_warnings_and_keeps_the_status(run, tmp_path):  # noqa: F811
    (tmp_path / "body.json").write_text('{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": 2}')
    loud = run("convert", "body.json", "--to", "anthropic")
    quiet = run("convert", "body.json", "--to", "anthropic", "--quiet")
    assert "parameter-dropped" in loud.err
    assert (quiet.err, quiet.out, quiet.code) == ("", loud.out, loud.code)


@pytest.mark.parametrize("words", [["convert", "no-such-file", "--to", "chat"], ["count", "--no-such-option"]])
def test_quiet_keeps_errors(words, run):  # noqa: F811
    found = run(*words, "--quiet")
    assert found.code == 2
    assert "no-such" in found.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["render", "transl"], {"translate", "translate-chat"}),
        (["render", "translate-chat", "-p", ""], {"text=", "language="}),
        (["render", "translate-chat", "-p", "la"], {"language="}),
        (["render", "no-such", "-p", ""], set()),
        (["count", "x", "--model", "gpt-5.4-m"], {"gpt-5.4-mini"}),
        (["convert", "x", "--to", "chatm"], {"chatml"}),
    ],
)
def test_a_shell_completes_templates_inputs_models_and_formats(words, expected, tmp_path):
    asked = {"_DIPTYCH_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(["diptych", *words]), "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['diptych']; from diptych.cli import main; main()"],
        env={**os.environ, **asked}, capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert expected <= {*done.stdout.split()}, done.stderr
    assert expected or not done.stdout.split()
