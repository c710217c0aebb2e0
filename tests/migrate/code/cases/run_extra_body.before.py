def main(openai_client):
    reply = openai_client.completions.create(
        model="m", prompt="Hi", max_tokens=5, extra_body={"top_k": 3}, extra_headers={"x-a": "b"}
    )
    return reply.choices[0].text
