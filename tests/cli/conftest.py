"""Every document that a test of this folder has printed in this process is held against its schema."""

import sys

import pytest

from diptych.cli import output

from .documents import best_of, plain


@pytest.fixture(autouse=True)
def documents_follow_their_schemas(monkeypatch):
    write = output.write_document

    def checked(**fields):
        best = best_of(plain({"version": 1, **fields}), " ".join(sys.argv[1:]))
        assert best is None, f"{best.json_path}: {best.message[:300]}"
        write(**fields)

    monkeypatch.setattr(output, "write_document", checked)
