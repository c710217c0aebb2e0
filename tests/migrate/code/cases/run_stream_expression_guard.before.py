def main(openai_client):
    stream = openai_client.completions.create(model="m", prompt="one two three", max_tokens=5, stream=True)
    seen = []
    for chunk in stream:
        seen.append(chunk.model)
        if chunk.choices[0].text:
            seen.append(chunk.choices[0].text.upper())
        reason = chunk.choices[0].finish_reason
    return seen[0] + "".join(s for s in seen if s.isupper()) + str(reason)
