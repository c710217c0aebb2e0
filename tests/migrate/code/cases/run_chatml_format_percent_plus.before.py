def main(openai_client):
    name = "Ann"
    replies = [
        openai_client.completions.create(
            model="m",
            prompt="<|im_start|>user\nI am {name}, {0}.<|im_end|>\n<|im_start|>assistant\n".format(name, name=name),
            max_tokens=5,
        ),
        openai_client.completions.create(
            model="m",
            prompt="<|im_start|>user\nI am %s: 100%%<|im_end|>\n<|im_start|>assistant\n" % (name,),
            max_tokens=5,
        ),
        openai_client.completions.create(
            model="m",
            prompt="<|im_start|>user\nI am " + name + "<|im_end|>\n<|im_start|>assistant\n",
            max_tokens=5,
        ),
    ]
    return [reply.choices[0].text for reply in replies]
