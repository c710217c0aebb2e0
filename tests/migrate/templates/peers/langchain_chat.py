# peer: here, langchain-core 1.7.2
"""What LangChain makes of chat prompts: JSON in, JSON out."""

import json
import sys

from langchain_core.prompts import ChatPromptTemplate

ROLES = {"human": "user", "ai": "assistant", "system": "system"}


def answer(case):
    messages = json.loads(case["text"])["messages"]
    try:
        prompt = ChatPromptTemplate.from_messages(
            [(message["role"], message["template"]) for message in messages],
            template_format=messages[0]["template_format"],
        )
        return [[ROLES[m.type], m.content, None] for m in prompt.format_messages(**case["inputs"])]
    except Exception as error:
        return {"error": repr(error)}


if __name__ == "__main__":
    json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
