def main(client):
    history, q = "", "Why?"
    reply = client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": f"<|im_start|>system\nBe terse.<|im_end|>\n{history}<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n"}],
        max_completion_tokens=5,
        stop="<|im_end|>",
    )
    return reply.choices[0].message.content
