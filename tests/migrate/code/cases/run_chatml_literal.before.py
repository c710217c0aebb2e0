def main(openai_client):
    reply = openai_client.completions.create(
        model="m",
        prompt="<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\nSay \"hi\" {now}<|im_end|>\n<|im_start|>assistant\n",
        max_tokens=5,
        stop=["<|im_end|>", "END"],
    )
    return reply.choices[0].text
