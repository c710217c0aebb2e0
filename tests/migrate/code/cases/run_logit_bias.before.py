def main(client):
    reply = client.completions.create(model="davinci-002", prompt="Hi", max_tokens=5, logit_bias={"9906": -100})
    return reply.choices[0].text
