# before
def main(client):
    reply = client.chat.completions.create(
        model="gpt-5.4-mini",  # the old one
        messages=[{"role": "user", "content": (
            "Translate to French: "  # the task
            "Good morning"
        )}],
        temperature=0,

        # long enough
        max_completion_tokens = 60 ,
    )  # asked
    return reply.choices[0].message.content.strip()
