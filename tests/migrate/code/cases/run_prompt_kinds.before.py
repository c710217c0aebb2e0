import textwrap


def main(openai_client):
    name, age = "Ann", 3
    replies = [
        openai_client.completions.create(model="m", prompt=f"I am {name!r}, {age:>3}", max_tokens=5),
        openai_client.completions.create(model="m", prompt="I am {}".format(name), max_tokens=5),
        openai_client.completions.create(model="m", prompt="I am %s" % name, max_tokens=5),
        openai_client.completions.create(model="m", prompt="I am " + name, max_tokens=5),
        openai_client.completions.create(model="m", prompt=textwrap.dedent("""
            I am
            """), max_tokens=5),
        openai_client.completions.create(model="m", prompt=["I am"], max_tokens=5),
        openai_client.completions.create(model="m", prompt=name, max_tokens=5),
    ]
    return [reply.choices[0].text for reply in replies]
