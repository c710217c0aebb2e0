from langchain.chains import LLMChain
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_openai import ChatOpenAI

prompt = PromptTemplate.from_template("Say {word}")
llm = ChatOpenAI(max_tokens=5, model="m")
parsed = prompt | llm | StrOutputParser()
print(parsed.invoke({"word": "hi"}))
bare = prompt | llm
print(bare.invoke({"word": "hi"}).content)
print((prompt | llm.bind(stop=["x"])).invoke({"word": "hi"}).content)
print(LLMChain(llm=llm, prompt=prompt).run(word="hi"))
