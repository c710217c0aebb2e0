from langchain.chains import LLMChain

try:
    from langchain_openai import OpenAI
except ImportError:
    from langchain.llms import OpenAI

a = LLMChain(llm=OpenAI(temperature=0), prompt=None)
