def main(openai_client):
    collected = []
    for event in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two"}], max_completion_tokens=5, stream=True):
        collected.append(event)
        print(event.choices[0].delta.content or "" if event.choices else "")
    return "".join([event.choices[0].delta.content or "" if event.choices else "" for event in collected])
