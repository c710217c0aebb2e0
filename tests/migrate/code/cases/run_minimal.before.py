def main(client):
    reply = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi", max_tokens=5)
    return reply.choices[0].text
