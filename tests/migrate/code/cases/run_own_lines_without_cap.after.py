def main(client):
    reply = client.chat.completions.create(
        model="gpt-5.4-mini",
        messages=[{"role": "user", "content": "Hello"}],  # a comment that stays here
        max_completion_tokens=16,
    )
    other = client.chat.completions.create(
        model="gpt-5.4-mini",
        messages=[{"role": "user", "content": "Hello"}],  # no comma
        max_completion_tokens=16
    )
    return reply.choices[0].message.content + other.choices[0].message.content
