import logging
import os

import openai
from openai.error import RateLimitError
from tenacity import retry, stop_after_attempt, wait_random_exponential

logger = logging.getLogger(__name__)
openai.api_key = os.getenv("OPENAI_API_KEY")


@retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))
def gpt3(prompt, model="gpt-5.4-mini", temperature=0.7, stop=None):
    try:
        response = openai.ChatCompletion.create(
            model=model, messages=[{"role": "user", "content": prompt}], temperature=temperature, max_completion_tokens=100, stop=stop
        )
        logger.info(response)
        logger.debug(f"got {response}")
        return response.choices[0].message.content.strip()
    except RateLimitError as error:
        logger.warning("slow down: %s", error)
        raise


def choices_of(prompt) -> str:
    resp: dict = openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": prompt}], max_completion_tokens=16)
    choices: list = resp.get("choices", [])
    if choices:
        return choices[0].get("message", {}).get("content", "").strip()
    return ""
