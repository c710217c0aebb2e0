import openai

openai.api_key = "x"


def ask(q):
    response = openai.ChatCompletion.create(
        model="gpt-5.4-mini",
        messages=[{"role": "user", "content": q}],
        temperature=0.7,
        max_completion_tokens=60,
        top_p=1,
        frequency_penalty=0,
        presence_penalty=0,
        stop=["\n"],
        request_timeout=10,
    )
    return response["choices"][0]["message"]["content"].strip(), response.choices[0].message.content, response["usage"]["total_tokens"]


async def later(q):
    r = await openai.ChatCompletion.acreate(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=16)
    return r.choices[0]["message"]["content"]
