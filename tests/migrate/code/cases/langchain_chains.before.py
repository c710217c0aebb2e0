from langchain.chains import LLMChain
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_openai import OpenAI

prompt = PromptTemplate.from_template("Say {word}")
llm = OpenAI(max_tokens=5, model="m")
parsed = prompt | llm | StrOutputParser()
print(parsed.invoke({"word": "hi"}))
bare = prompt | llm
print(bare.invoke({"word": "hi"}))
print((prompt | llm.bind(stop=["x"])).invoke({"word": "hi"}))
print(LLMChain(llm=llm, prompt=prompt).run(word="hi"))
