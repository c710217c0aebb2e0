def main(client):
    reply = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, logit_bias={"13225": -100})
    return reply.choices[0].message.content
