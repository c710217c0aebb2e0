// The page of `diptych play`. Everything that is shown goes through textContent; nothing is parsed as markup.
const token = new URLSearchParams(location.search).get("token") ?? "";
const $ = (id) => document.getElementById(id);
const state = { mark: null, bodies: [], asked: 0, timer: 0, abort: null, samples: {} };

async function ask(path, method = "GET", body = undefined, signal = undefined) {
  const options = { method, headers: { "x-diptych-token": token }, signal };
  if (body !== undefined) options.body = JSON.stringify(body);
  return fetch(`/api/${path}`, options);
}

async function json(path, method, body) {
  const response = await ask(path, method, body);
  const found = await response.json();
  if (!response.ok) throw new Error(found.error?.message ?? response.statusText);
  return found;
}

const draft = () => ({
  name: $("name").value, source: $("source").value, inputs: $("inputs").value,
  models: $("models").value.split(",").map((name) => name.trim()).filter(Boolean),
});

function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

const fill = (id, children) => $(id).replaceChildren(...children);
const shown = (value) => (value === null || value === undefined ? "unknown" : typeof value === "number" ? value.toLocaleString("en") : value);

function pieces(list) {
  return list.map((piece) => {
    if (piece.kind !== "text") return element("div", piece.label, "part");
    const made = element(piece.source === "data" ? "mark" : "span", piece.text);
    if (piece.source === "data") made.title = piece.input ? `data: ${piece.input}` : "data";
    return made;
  });
}

function message(one) {
  const made = element("div", "", "message");
  const text = element("div", "", "text");
  text.append(...pieces(one.pieces));
  made.append(element("div", one.role, "role"), text);
  return made;
}

function row(cells, tag = "td") {
  const made = document.createElement("tr");
  cells.forEach((cell) => made.append(cell instanceof Node ? cell : element(tag, shown(cell), typeof cell === "number" ? "n" : "")));
  return made;
}

function bar(part, total) {
  const made = document.createElement("progress");
  made.max = total || 1;
  made.value = part || 0;
  made.setAttribute("aria-label", `${part} of ${total} tokens`);
  const cell = document.createElement("td");
  cell.append(made);
  return cell;
}

const loss = (one) => element("li", `${one.path}: ${one.severity}: ${one.kind}${one.detail ? `: ${one.detail}` : ""}`);

function showSample(sample) {
  fill("prompt", sample.prompt === null ? [element("span", sample.prompt_error)] : pieces(sample.prompt));
  fill("messages", sample.messages.map(message));
  const { parts, total, basis } = sample.tokens;
  fill("tokens", [row(["part", "kind", "tokens", ""], "th"), ...parts.map((one) => row([one.path, one.kind, one.tokens, bar(one.tokens, total)])),
    row(["all", basis, total, ""])]);
  fill("costs", [row(["model", "prompt", "basis", "low", "expected", "high"], "th"), ...sample.costs.map((one) =>
    one.cost ? row([one.model, one.prompt_tokens, one.basis, one.cost.low, one.cost.expected, one.cost.high])
      : row([one.model, one.prompt_tokens, one.basis, `unknown: ${one.reason}`, "", ""]))]);
  fill("losses", sample.losses.length ? sample.losses.map(loss) : [element("li", "none")]);
}

function showBody() {
  const one = state.bodies.find((body) => body.api === $("api").value);
  $("body").textContent = one ? one.error ?? JSON.stringify(one.body, null, 2) : "";
  fill("body-losses", (one?.losses ?? []).map(loss));
}

function showSamples(samples) {
  const names = Object.keys(samples ?? {});
  if (JSON.stringify(samples ?? {}) === JSON.stringify(state.samples)) return;
  state.samples = samples ?? {};
  fill("samples", [new Option("", ""), ...names.map((name) => new Option(name, name))]);
}

async function show() {
  const asked = ++state.asked;
  try {
    const found = await json("show", "POST", draft());
    if (asked !== state.asked) return;
    $("error").hidden = !found.error;
    $("error").textContent = found.error?.message ?? "";
    if (found.samples) showSamples(found.samples);
    if (found.error) return;
    showSample(found.sample);
    state.bodies = found.bodies;
    const chosen = $("api").value;
    fill("api", found.bodies.map((one) => new Option(one.api, one.api)));
    if (chosen) $("api").value = chosen;
    showBody();
    $("status").textContent = `hash ${found.hash.slice(0, 12)}`;
    const { findings } = await json("check", "POST", draft());
    if (asked !== state.asked) return;
    fill("findings", findings.length ? findings.map((one) => element("li",
      `${one.location ? `${one.location.line}:${one.location.column} ` : ""}${one.code} ${one.message}${one.hint ? ` (${one.hint})` : ""}`)) : [element("li", "none")]);
  } catch (error) {
    $("error").hidden = false;
    $("error").textContent = error.message;
  }
}

function later() {
  clearTimeout(state.timer);
  state.timer = setTimeout(show, 250);
}

async function open(name) {
  const found = await json(`template?name=${encodeURIComponent(name)}`);
  $("source").value = found.source;
  $("name").value = found.name;
  $("inputs").value = "{}";
  state.mark = found.mark;
  state.opened = found.name;
  $("templates").value = found.name;
  await show();
  const first = Object.keys(state.samples)[0];
  if (first) use(first);
}

function use(name) {
  $("samples").value = name;
  if (name) $("inputs").value = JSON.stringify(state.samples[name], null, 2);
  show();
}

async function save() {
  try {
    const isSame = $("name").value === state.opened;
    const found = await json("template", "PUT", { ...draft(), mark: isSame ? state.mark : null });
    state.mark = found.mark;
    state.opened = $("name").value;
    $("status").textContent = `saved ${state.opened}`;
    await templates();
  } catch (error) {
    $("status").textContent = error.message;
  }
}

async function templates() {
  const found = await json("start");
  fill("templates", [new Option("new", ""), ...found.templates.map((name) => new Option(name, name))]);
  $("templates").value = found.templates.includes(state.opened) ? state.opened : "";
  $("send").disabled = !found.can_send;
  $("told").textContent = found.told + (found.is_isolated ? "" : "; templates render in this process on this system");
  return found.templates;
}

async function send() {
  state.abort = new AbortController();
  $("stop").hidden = false;
  $("answer").textContent = "";
  try {
    const response = await ask("send", "POST", draft(), state.abort.signal);
    if (!response.ok) throw new Error((await response.json()).error.message);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const lines = (rest + next.value).split("\n");
      rest = lines.pop();
      lines.map((line) => JSON.parse(line)).forEach(told);
    }
  } catch (error) {
    $("told").textContent = error.name === "AbortError" ? "stopped" : error.message;
  }
  $("stop").hidden = true;
}

function told(line) {
  if (line.text) $("answer").append(line.text);
  if (line.error) $("told").textContent = line.error;
  if (line.done) $("told").textContent = `${line.model ?? ""}: ${shown(line.tokens)} tokens, ${line.cost === null ? "cost unknown" : `${line.cost} USD`}`;
}

["source", "inputs", "models", "name"].forEach((id) => $(id).addEventListener("input", later));
$("templates").addEventListener("change", (event) => event.target.value && open(event.target.value));
$("samples").addEventListener("change", (event) => use(event.target.value));
$("api").addEventListener("change", showBody);
$("save").addEventListener("click", save);
$("send").addEventListener("click", send);
$("stop").addEventListener("click", () => state.abort?.abort());
$("copy").addEventListener("click", () => navigator.clipboard.writeText($("body").textContent));

const known = await templates();
if (known.length) await open(known[0]);
else {
  $("source").value = 'Translate the following English text to French: "{{ text }}"';
  $("inputs").value = '{"text": "Hello"}';
  await show();
}
