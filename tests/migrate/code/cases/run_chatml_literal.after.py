def main(openai_client):
    reply = openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Say \"hi\" {now}"}],
        max_completion_tokens=5,
        stop=["END"],
    )
    return reply.choices[0].message.content
