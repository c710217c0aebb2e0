from langchain.chains import LLMChain

try:
    from langchain_openai import ChatOpenAI
except ImportError:
    from langchain.chat_models import ChatOpenAI

a = LLMChain(llm=ChatOpenAI(temperature=0, model="gpt-5.4-mini", max_tokens=256), prompt=None)
