import openai


def look(prompt):
    completion = openai.Completion.create(model="curie:ft-me-2023-03-11-02-46-24", prompt=prompt, max_tokens=9)
    for number, choice in enumerate(completion.choices):
        print("#{}: {}".format(number, choice))
        print("%s of %s" % (choice, len(completion.choices)))
    print("all: " + repr(completion))
    return completion.choices[0]["text"]
