def main(openai_client):
    who = "Ann"
    reply = openai_client.completions.create(
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
