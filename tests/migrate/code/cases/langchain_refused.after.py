# refused: langchain-use@5 langchain-use@7 best-of@9 langchain-use@11
from langchain_openai import OpenAI, ChatOpenAI
from somewhere import agent

one = OpenAI(max_tokens=5, model="m")
agent(one)
two = OpenAI(max_tokens=5, model="m")
print(two.generate(["Hi"]))
three = OpenAI(max_tokens=5, model="m", best_of=3)
print(three.invoke("Hi"))
four = OpenAI(max_tokens=5, model="m")
print(four.invoke("ok"), (four | (lambda text: text.upper())).invoke("Hi"))
five = ChatOpenAI(max_tokens=5, model="m")
print(five.invoke("ok").content)
