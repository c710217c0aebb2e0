def main(client, words=("one", "two words")):
    out = client.completions.create(model="davinci-002", prompt=[f"Say {word}" for word in words], max_tokens=5)
    texts = [choice.text for choice in out.choices]
    more = client.completions.create(model="davinci-002", prompt=["Hi", "Ho"], max_tokens=5).choices
    for word, choice in zip(words, more):
        texts.append(word + choice.text)
    one = client.completions.create(model="davinci-002", prompt=[words[0] + "!"], max_tokens=5)
    return texts, out.choices[1].text, one.choices[0].text
