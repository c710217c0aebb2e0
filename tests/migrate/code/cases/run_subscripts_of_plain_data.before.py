def main(openai_client):
    reply = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5).model_dump()
    first = reply["choices"][0]
    return reply['choices'][0]['text'] + first.get("text") + first.get("text", "") + reply.get("choices")[0].get("text")
