def main(openai_client):
    name = "Ann"
    replies = [
        openai_client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": f"I am {name}, {name}."}],
            max_completion_tokens=5,
        ),
        openai_client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": f"I am {name!s}: 100%"}],
            max_completion_tokens=5,
        ),
        openai_client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": f"I am {name}"}],
            max_completion_tokens=5,
        ),
    ]
    return [reply.choices[0].message.content for reply in replies]
