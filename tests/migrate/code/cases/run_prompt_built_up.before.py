def main(client):
    prompt = "<|im_start|>user\nHi"
    prompt += "<|im_end|>\n<|im_start|>assistant\n"
    return client.completions.create(model="m", prompt=prompt, max_tokens=5).choices[0].text
