def main(client):
    reply = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Say hi"}], max_completion_tokens=5)
    return reply.choices[0].message.content
