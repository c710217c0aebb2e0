import json

import openai


def ask(q):
    r = openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5)
    json.dump(r, open("x.json", "w"))
    print(json.dumps(r, indent=2), str(r))
    return r["choices"][0]["message"]["content"]
