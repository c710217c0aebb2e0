# refused: reply-begun@8 reply-begun@13 reply-begun@18 reply-begun@23 reply-begun@28
import json

import openai


def joined(prompt):
    text = openai.Completion.create(model="text-davinci-003", prompt=prompt, max_tokens=5).choices[0].text
    return "".join([prompt, text.replace("\n", " ")])


def formatted(prompt):
    text = openai.Completion.create(model="text-davinci-003", prompt=prompt, max_tokens=5).choices[0].text
    return "{}{}".format(prompt, text)


def by_percents(prompt):
    text = openai.Completion.create(model="text-davinci-003", prompt=prompt, max_tokens=5).choices[0].text
    return "100%% %s%s" % (prompt, text)


def printed(prompt):
    text = openai.Completion.create(model="text-davinci-003", prompt=prompt, max_tokens=5).choices[0].text
    print(prompt, text, sep="")


def opened(thing):
    text = openai.Completion.create(model="text-davinci-003", prompt=f"JSON of {thing}:\n{{", max_tokens=5).choices[0].text
    return json.loads("{" + text)


def shown(prompt):
    text = openai.Completion.create(model="text-davinci-003", prompt=prompt, max_tokens=5).choices[0].text
    print(prompt, text)
    return "Q: {} A: {}".format(prompt, text) + "%s, %s" % (prompt, text)
