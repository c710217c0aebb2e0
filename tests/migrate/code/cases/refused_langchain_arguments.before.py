# refused: langchain-argument@5 unpacked-arguments@6 positional-arguments@7 logit-bias@8
from langchain_openai import OpenAI
options = {}

a = OpenAI(model="m", suffix="x")
b = OpenAI(**options)
c = OpenAI("m")
d = OpenAI(model="m", logit_bias={"1": 2})
print(a.invoke("x"), b.invoke("x"), c.invoke("x"), d.invoke("x"))
