def main(openai_client):
    who = "Ann"
    reply = openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "system", "content": "Be terse."}, {"role": "user", "content": f"I am {who}"}],
        max_completion_tokens=5,
    )
    return reply.choices[0].message.content
