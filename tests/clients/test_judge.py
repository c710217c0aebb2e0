"""An outside judge: llmprobe's assertions on every API, over a server that has Chat alone.

Only its MUST assertions count, as in its own score. The model's abilities, which it grades too, are no matter here.
"""

import json
import os
import shutil
import subprocess

import pytest

from diptych.testing import Server

from ..serve.conftest import running
from .test_clients import FOLDER

PROBE = FOLDER / "node_modules" / "llmprobe" / "bin" / "dist" / "llmprobe.mjs"
SURFACES = {"models", "chat", "responses", "messages", "count-tokens", "completions"}
#: What the bridge cannot know of an upstream that does not say it: a cache of prompts.
OF_THE_UPSTREAM = {"responses-prompt-caching", "responses-prompt-cache-prefix", "chat-prompt-caching"}


def judged(url, folder):
    """Return the verdict on a server, the failures of MUST assertions, and those of each surface that passed."""
    saved = folder / "verdict.json"
    command = ["node", str(PROBE), url, "--model", "gpt-4o", "--no-bench", "--save", str(saved)]
    subprocess.run(command, capture_output=True, env={**os.environ, "HOME": str(folder)}, timeout=600)
    found = json.loads(saved.read_text("utf-8"))["conformance"]
    failures = [
        (result["id"], failure["label"], failure.get("message"))
        for result in found["results"]
        for failure in result["failures"]
        if failure["severity"] == "MUST" and result["id"] not in OF_THE_UPSTREAM
    ]
    return failures, {surface["surface"]: surface["total"] for surface in found["bySurface"]}


@pytest.mark.skipif(not shutil.which("node") or not PROBE.is_file(), reason="llmprobe: make clients installs it")
def test_every_must_of_the_judge_holds(tmp_path):
    with Server() as upstream, running(upstream.base_url) as bridge:
        failures, totals = judged(bridge.url, tmp_path)
        paths = {request.path for request in upstream.requests}
        assert not paths & {f"/v1/{name}" for name in ("completions", "responses", "messages")}, "Chat alone"
    assert failures == []
    assert totals.keys() >= SURFACES
    assert all(totals[surface] for surface in SURFACES)


@pytest.mark.skipif(not shutil.which("node") or not PROBE.is_file(), reason="llmprobe: make clients installs it")
def test_every_must_of_the_judge_holds_for_the_server_of_the_tests(tmp_path):
    with Server() as server:
        failures, totals = judged(server.base_url, tmp_path)
    assert failures == []
    assert totals.keys() >= SURFACES | {"embeddings"}
