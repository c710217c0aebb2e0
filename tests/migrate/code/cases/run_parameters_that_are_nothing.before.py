def main(openai_client):
    reply = openai_client.completions.create(
        model="m",
        echo=False,
        prompt="Hi",
        suffix=None,
        best_of=1,  # no ranking
        logprobs=None,
        max_tokens=5,
        stream=False,
        logit_bias={},
    )
    again = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5, n=2, best_of=2)
    return reply.choices[0].text + again.choices[1].text
