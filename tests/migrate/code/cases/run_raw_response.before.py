def main(openai_client):
    raw = openai_client.completions.with_raw_response.create(model="m", prompt="Hi", max_tokens=5)
    assert raw.headers.get("content-type")
    return raw.parse().choices[0].text
