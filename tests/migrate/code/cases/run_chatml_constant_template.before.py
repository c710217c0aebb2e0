PROMPT = """<|im_start|>system
Be terse.<|im_end|>
<|im_start|>user
{question}: {{}}<|im_end|>
<|im_start|>assistant
"""


def main(client):
    question = "Why?"
    return client.completions.create(
        model="m", prompt=PROMPT.format(question=question), max_tokens=5, stop=["<|im_end|>"]
    ).choices[0].text
