def main(openai_client):
    text = ""
    for chunk in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two three"}], max_completion_tokens=5, stream=True):
        if not chunk.choices:
            continue
        text += chunk.choices[0].delta.content or ""
    return text
