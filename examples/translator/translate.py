"""A small program on the Completions API: what `diptych audit` and `diptych migrate` are shown on."""


def translate(client, text):
    """Return the French of a text."""
    response = client.completions.create(
        model="gpt-3.5-turbo-instruct",
        prompt=f'Translate the following English text to French: "{text}"',
        max_tokens=60,
        temperature=0,
    )
    return response.choices[0].text.strip()


def title(client, text):
    # The API's default of 16 tokens is enough for a title.
    response = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="A title for this text:\n\n" + text)
    return response.choices[0].text.strip()


def complete(client, before, after):
    """Fill the gap between two texts: Chat has no such thing, so this call is refused."""
    response = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=before, suffix=after, max_tokens=20)
    return response.choices[0].text
