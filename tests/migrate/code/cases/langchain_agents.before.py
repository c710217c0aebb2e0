# refused: langchain-argument@15
from langchain.agents import create_pandas_dataframe_agent, initialize_agent, load_tools
from langchain.llms import OpenAI

llm = OpenAI(client=None, temperature=0, batch_size=5, model_kwargs={"top_p": 1})
tools = load_tools(["llm-math"], llm=llm)
agent = initialize_agent(tools, llm, agent="zero-shot-react-description")
print(agent.run("What is 2 + 2?"))


def ask(frame, query):
    return create_pandas_dataframe_agent(OpenAI(), frame).run(query)


kept = OpenAI(model_kwargs={"logprobs": 5})
