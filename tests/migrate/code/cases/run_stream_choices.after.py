def main(openai_client):
    out = {0: "", 1: ""}
    with openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two"}], max_completion_tokens=5, n=2, stream=True) as stream:
        for event in stream:
            for choice in event.choices:
                out[choice.index] += choice.delta.content or ""
    return [out[0], out[1]]
