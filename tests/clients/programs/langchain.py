# client: new, langchain_openai
"""langchain-openai: its Completions class with what it sends by default, several prompts, streams; its Chat class."""

import os

from langchain_openai import ChatOpenAI, OpenAI

options = {"base_url": os.environ["BASE_URL"], "api_key": os.environ.get("API_KEY", "none"), "model": os.environ["MODEL"]}
model = OpenAI(**options, max_tokens=8, max_retries=0)
assert model.invoke("Say hello").strip()
assert len(model.generate(["one", "two"]).generations) == 2
assert "".join(model.stream("Say hello")).strip()
chat = ChatOpenAI(**options, max_tokens=8, max_retries=0)
assert chat.invoke("Say hello").content.strip()
print("ok")
