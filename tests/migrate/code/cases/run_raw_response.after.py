def main(openai_client):
    raw = openai_client.chat.completions.with_raw_response.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    assert raw.headers.get("content-type")
    return raw.parse().choices[0].message.content
