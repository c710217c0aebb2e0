def main(client):
    who = "Ann"
    reply = client.completions.create(
        model="m",
        prompt=f"""
<|im_start|>system
Be terse.<|im_end|>
<|im_start|>user
I am {who}<|im_end|>
<|im_start|>assistant
""".lstrip(),
        max_tokens=5,
    )
    return reply.choices[0].text
