import openai

client = openai.OpenAI()


def ask(q):
    choice = client.completions.create(model="davinci-002", prompt=q, max_tokens=5, logprobs=1).choices[0]
    old = openai.Completion.create(model="davinci-002", prompt=q, max_tokens=5, logprobs=1, n=2, best_of=2)
    return sum(choice.logprobs.token_logprobs), choice.logprobs.tokens, old["choices"][0]["logprobs"]["token_logprobs"][0]
