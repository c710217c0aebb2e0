# client: new, llm
"""The command line program llm with a Completions model of its own, as its settings file names one."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    names = {"model_id": "bridged", "model_name": os.environ["MODEL"], "api_base": os.environ["BASE_URL"]}
    models = [{**names, "completion": True}, {**names, "model_id": "chatting"}]
    pathlib.Path(folder, "extra-openai-models.yaml").write_text(json.dumps(models))
    environment = {**os.environ, "LLM_USER_PATH": folder, "OPENAI_API_KEY": os.environ.get("API_KEY", "none")}
    for model, more in (("bridged", []), ("bridged", ["--no-stream"]), ("chatting", [])):
        command = [sys.executable, "-m", "llm", "-m", model, "Say hello", *more]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), (model, more)
print("ok")
