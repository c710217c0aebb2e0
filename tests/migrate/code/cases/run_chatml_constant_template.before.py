PROMPT = """<|im_start|>system
Be terse.<|im_end|>
<|im_start|>user
{question}: {{}}<|im_end|>
<|im_start|>assistant
"""


def main(openai_client):
    question = "Why?"
    return openai_client.completions.create(
        model="m", prompt=PROMPT.format(question=question), max_tokens=5, stop=["<|im_end|>"]
    ).choices[0].text
