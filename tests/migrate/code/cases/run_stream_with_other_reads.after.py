def main(openai_client):
    parts, reason, used = [], None, None
    stream = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "one two three"}], max_completion_tokens=5, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        if chunk.usage:
            used = chunk.usage.total_tokens
        if chunk.choices:
            parts.append(chunk.choices[0].delta.content or "")
            reason = chunk.choices[0].finish_reason or reason
    assert used
    return "".join(parts) + str(reason)
