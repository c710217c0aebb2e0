def main(openai_client):
    for chunk in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two"}], max_completion_tokens=5, stream=True):
        if not chunk.choices:
            continue
        print(f"{chunk.choices[0].delta.content or ''}", end="", flush=True)
    for chunk in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one"}], max_completion_tokens=5, stream=True): print(chunk.choices[0].delta.content or "" if chunk.choices else "")
    return "printed"
