"""A small program on the Completions API: what `diptych audit` and `diptych migrate` are shown on."""

from pathlib import Path

MODEL = "gpt-3.5-turbo-instruct"


def translate(client, text):
    """Return the French of a text."""
    response = client.completions.create(
        model=MODEL,
        prompt=f'Translate the following English text to French: "{text}"',
        max_tokens=60,
        temperature=0,
    )
    return response.choices[0].text.strip()


def ask_title(client, text):
    # The API's default of 16 tokens is enough for a title.
    return client.completions.create(model=MODEL, prompt="A title for this text:\n\n" + text)


def title(client, text):
    """Return a title of a text."""
    return ask_title(client, text).choices[0].text.strip()


def tell(client, text):
    """Yield a text retold, as it comes."""
    for chunk in client.completions.create(model=MODEL, prompt=f"Retell this: {text}", max_tokens=200, stream=True):
        yield chunk.choices[0].text


def complete(client, before, after):
    """Fill the gap between two texts: Chat has no such thing, so this call is refused."""
    response = client.completions.create(model="davinci-002", prompt=before, suffix=after, max_tokens=20)
    return response.choices[0].text


def summary_prompt(text):
    """Return the prompt of a summary, as the template beside this program says it."""
    body = Path(__file__).with_name("summary.prompty").read_text(encoding="utf-8").split("---\n", 2)[2]
    return body.strip().replace("{{text}}", text)
