def main(openai_client):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).model_dump()
    first = reply["choices"][0]
    return reply['choices'][0]['message']['content'] + first.get("message").get("content") + first.get("message", {}).get("content", "") + reply.get("choices")[0].get("message").get("content")
