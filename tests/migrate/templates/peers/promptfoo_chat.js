// peer: node/promptfoo, promptfoo 0.123.1
// What promptfoo sends to a model: JSON in, JSON out. The model echoes its prompt.
process.env.PROMPTFOO_DISABLE_TELEMETRY = "1";
process.env.PROMPTFOO_DISABLE_UPDATE = "1";
process.env.PROMPTFOO_CONFIG_DIR = require("fs").mkdtempSync(require("path").join(require("os").tmpdir(), "promptfoo-"));
// Its build for require() falls over what it logs; imports do not look at NODE_PATH.
const loaded = import(require.resolve("promptfoo").replace(/\.cjs$/, ".js"));

const evaluated = async (cases) => {
  const { default: promptfoo } = await loaded;
  const inputs = [...new Set(cases.map((one) => JSON.stringify(one.inputs)))];
  const texts = [...new Set(cases.map((one) => one.text))];
  const evaluation = await promptfoo.evaluate(
    {
      prompts: texts.map((raw, index) => ({ raw, label: String(index) })),
      providers: [async (prompt) => ({ output: prompt })],
      tests: inputs.map((vars) => ({ vars: JSON.parse(vars), options: { disableVarExpansion: true }, description: vars })),
      writeLatestResults: false,
    },
    { cache: false, maxConcurrency: 1, showProgressBar: false },
  );
  const said = {};
  for (const one of (await evaluation.toEvaluateSummary()).results) {
    said[one.testCase.description + "\n" + texts[Number(one.prompt.label)]] = one;
  }
  return cases.map((one) => said[JSON.stringify(one.inputs) + "\n" + one.text]);
};

const messages = ({ prompt, error }) => {
  if (error) return { error };
  try {
    return JSON.parse(prompt.raw).map((m) => [m.role, m.content, null]);
  } catch {
    return [["user", prompt.raw, null]];
  }
};

let said = "";
process.stdin.on("data", (chunk) => (said += chunk));
process.stdin.on("end", async () => {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true; // promptfoo says there what it does
  const found = await evaluated(JSON.parse(said));
  write(JSON.stringify(found.map(messages)), () => process.exit(0));
});
