def main(client, words=("one", "two words")):
    out = [client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": f"Say {word}"}], max_completion_tokens=5) for word in words]
    texts = [choice.message.content for choice in [reply.choices[0] for reply in out]]
    more = [reply.choices[0] for reply in [client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": prompt_}], max_completion_tokens=5) for prompt_ in ["Hi", "Ho"]]]
    for word, choice in zip(words, more):
        texts.append(word + choice.message.content)
    one = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": words[0] + "!"}], max_completion_tokens=5)
    return texts, [reply.choices[0] for reply in out][1].message.content, one.choices[0].message.content
