def main(openai_client):
    stream = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two three"}], max_completion_tokens=5, stream=True)
    seen = []
    for chunk in stream:
        seen.append(chunk.model)
        if (chunk.choices[0].delta.content or "" if chunk.choices else ""):
            seen.append((chunk.choices[0].delta.content or "" if chunk.choices else "").upper())
        reason = chunk.choices[0].finish_reason if chunk.choices else None
    return seen[0] + "".join(s for s in seen if s.isupper()) + str(reason)
