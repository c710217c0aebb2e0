# refused: prompt-markup@5
def main(openai_client):
    prompt = "<|im_start|>user\nHi"
    prompt += "<|im_end|>\n<|im_start|>assistant\n"
    return openai_client.completions.create(model="m", prompt=prompt, max_tokens=5).choices[0].text
