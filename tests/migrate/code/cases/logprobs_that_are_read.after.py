import openai

client = openai.OpenAI()


def ask(q):
    choice = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5, logprobs=True, top_logprobs=1).choices[0]
    old = openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5, logprobs=True, top_logprobs=1, n=2)
    return sum([token.logprob for token in choice.logprobs.content]), [token.token for token in choice.logprobs.content], [token["logprob"] for token in old["choices"][0]["logprobs"]["content"]][0]
