import textwrap


def main(openai_client):
    name, age = "Ann", 3
    replies = [
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"I am {name!r}, {age:>3}"}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I am {}".format(name)}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I am %s" % name}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I am " + name}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": textwrap.dedent("""
            I am
            """)}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I am"}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": name}], max_completion_tokens=5),
    ]
    return [reply.choices[0].message.content for reply in replies]
