import openai

openai.api_key = "x"


def ask(q):
    response = openai.Completion.create(
        engine="text-davinci-003",
        prompt=q,
        temperature=0.7,
        max_tokens=60,
        top_p=1,
        frequency_penalty=0,
        presence_penalty=0,
        stop=["\n"],
        request_timeout=10,
    )
    return response["choices"][0]["text"].strip(), response.choices[0].text, response["usage"]["total_tokens"]


async def later(q):
    r = await openai.Completion.acreate(model="davinci-002", prompt=q)
    return r.choices[0]["text"]
