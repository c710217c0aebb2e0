PROMPT = """<|im_start|>system
Be terse.<|im_end|>
<|im_start|>user
{question}: {{}}<|im_end|>
<|im_start|>assistant
"""


def main(openai_client):
    question = "Why?"
    return openai_client.chat.completions.create(
        model="m", messages=[{"role": "system", "content": "Be terse."}, {"role": "user", "content": f"{question}: {{}}"}], max_completion_tokens=5
    ).choices[0].message.content
