# refused: unknown-argument@8 not-understood@9 not-understood@10 not-understood@11 not-understood@12 not-understood@13 http-url@14
import litellm
import openai
from langchain import llms

client = openai.OpenAI()
openai_client = make()
client.completions.create(name="trace", model="gpt-3.5-turbo-instruct", prompt="Hi", metadata={"a": "b"})
openai_client.completions.create(trace="x")
litellm.text_completion(model="m", prompt="x")
llms.OpenAI(temperature=0)
getattr(client, "completions").create(model="m", prompt="x")
ask = wrap(openai.Completion)
send("https://api.openai.com/v1/engines/davinci/completions")
