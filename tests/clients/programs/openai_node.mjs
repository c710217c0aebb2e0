// client: node, openai
// The openai package for Node: Completions and Chat, whole and streamed, and an error.
import assert from "node:assert";
import { createRequire } from "node:module";

const found = createRequire(`${process.env.NODE_FOLDER}/`);
const OpenAI = found("openai").OpenAI ?? found("openai");
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY ?? "none", maxRetries: 0 });
const model = process.env.MODEL;

const whole = await client.completions.create({ model, prompt: "Say hello", max_tokens: 8 });
assert(whole.choices[0].text.trim());

const texts = {};
for await (const chunk of await client.completions.create({ model, prompt: ["one", "two"], max_tokens: 6, stream: true }))
  for (const choice of chunk.choices) texts[choice.index] = (texts[choice.index] ?? "") + choice.text;
assert.deepEqual(Object.keys(texts), ["0", "1"]);

const messages = [{ role: "user", content: "Say hello" }];
const stream = client.chat.completions.stream({ model, messages, max_tokens: 8 });
assert((await stream.finalContent()).trim());
const answer = await client.responses.create({ model, input: "Say hello", max_output_tokens: 16 });
assert(answer.output_text.trim());

await assert.rejects(
  client.completions.create({ model, prompt: "a", suffix: "b", max_tokens: 4 }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "suffix",
);
console.log("ok");
