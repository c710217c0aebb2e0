import logging
import os

import openai
from openai.error import RateLimitError
from tenacity import retry, stop_after_attempt, wait_random_exponential

logger = logging.getLogger(__name__)
openai.api_key = os.getenv("OPENAI_API_KEY")


@retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))
def gpt3(prompt, model="text-davinci-003", temperature=0.7, stop=None):
    try:
        response = openai.Completion.create(
            model=model, prompt=prompt, temperature=temperature, max_tokens=100, stop=stop
        )
        logger.info(response)
        logger.debug(f"got {response}")
        return response.choices[0].text.strip()
    except RateLimitError as error:
        logger.warning("slow down: %s", error)
        raise


def choices_of(prompt) -> str:
    resp: dict = openai.Completion.create(model="davinci-002", prompt=prompt)
    choices: list = resp.get("choices", [])
    if choices:
        return choices[0].get("text", "").strip()
    return ""
