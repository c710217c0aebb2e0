import json

import openai


def ask(q):
    r = openai.Completion.create(model="text-davinci-003", prompt=q, max_tokens=5)
    json.dump(r, open("x.json", "w"))
    print(json.dumps(r, indent=2), str(r))
    return r["choices"][0]["text"]
