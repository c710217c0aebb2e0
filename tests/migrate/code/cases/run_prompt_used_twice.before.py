def main(openai_client):
    prompt = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    text = openai_client.completions.create(model="m", prompt=prompt, max_tokens=5).choices[0].text
    return text + prompt
