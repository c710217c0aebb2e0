def main(openai_client, question="Why?"):
    prompt = (
        "<|im_start|>system\nBe terse.<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    return openai_client.completions.create(model="m", prompt=prompt, max_tokens=5, stop=["<|im_end|>", "END"]).choices[0].text
