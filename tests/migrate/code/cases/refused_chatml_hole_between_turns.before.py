# refused: prompt-markup@4
def main(openai_client):
    history, q = "", "Why?"
    reply = openai_client.completions.create(
        model="m",
        prompt=f"<|im_start|>system\nBe terse.<|im_end|>\n{history}<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n",
        max_tokens=5,
        stop="<|im_end|>",
    )
    return reply.choices[0].text
