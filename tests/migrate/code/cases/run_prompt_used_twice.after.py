def main(openai_client):
    prompt = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    text = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices[0].message.content
    return text + prompt
