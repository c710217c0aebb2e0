# client: new, pydantic_ai
"""pydantic-ai over the bridge's Chat and Responses."""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=os.environ["BASE_URL"], api_key=os.environ.get("API_KEY", "none"))
for kind in (OpenAIChatModel, OpenAIResponsesModel):
    agent = Agent(kind(os.environ["MODEL"], provider=provider), model_settings={"max_tokens": 16})
    assert agent.run_sync("Say hello").output.strip()
print("ok")
