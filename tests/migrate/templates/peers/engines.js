// peer: node, nunjucks 3.2.4
// What Nunjucks, Handlebars and Mustache make of templates: JSON in, JSON out.
const nunjucks = require("nunjucks");
const handlebars = require("handlebars");
const mustache = require("mustache");

const environment = new nunjucks.Environment(null, { autoescape: false });
const engines = {
  nunjucks: (text, inputs) => [["user", environment.renderString(text, inputs), null]],
  handlebars: (text, inputs) => [["user", handlebars.compile(text)(inputs), null]],
  mustache: (text, inputs) => [["user", mustache.render(text, inputs), null]],
};

const answer = ({ engine, text, inputs }) => {
  try {
    return engines[engine](text, inputs);
  } catch (error) {
    return { error: String(error) };
  }
};

let said = "";
process.stdin.on("data", (chunk) => (said += chunk));
process.stdin.on("end", () => process.stdout.write(JSON.stringify(JSON.parse(said).map(answer))));
