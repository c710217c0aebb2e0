def main(client):
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hi"}], max_completion_tokens=5)
    return reply.choices[0].message.content
