# before
def main(client):
    reply = client.completions.create(
        model="gpt-3.5-turbo-instruct",  # the old one
        prompt=(
            "Translate to French: "  # the task
            "Good morning"
        ),
        temperature=0,

        # long enough
        max_tokens = 60 ,
    )  # asked
    return reply.choices[0].text.strip()
