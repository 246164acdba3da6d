// The page at "/": the archives and one query. Everything comes from /graphql; text goes in as text only.
"use strict";

const ARCHIVES = `query Archives {
  viewer { subject name }
  archives {
    code
    title
    ern
    access
    health { state error { message } }
    index { studies { value atMost } lastCompletedAt running }
  }
}`;

const at = (id) => document.getElementById(id);

/** Posts one operation. Answers the body; throws an Error with words for people. */
async function ask(query, variables) {
  let response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query, variables }),
    });
  } catch {
    throw new Error("The server does not answer. Is ernfed still running?");
  }
  try {
    return await response.json();
  } catch {
    throw new Error(`The server answered with status ${response.status} and no JSON.`);
  }
}

const SEEN = {
  FULL: "records as stored",
  PSEUDONYMISED: "records, pseudonymised",
  COUNTS: "counts",
  NONE: "nothing",
};

const needsSignIn = (body) => (body.errors ?? []).some((e) => e.extensions?.code === "UNAUTHENTICATED");
const messages = (body) => (body.errors ?? []).map((e) => `${e.extensions?.code ?? "ERROR"}: ${e.message}`);

function cell(row, text, className) {
  const made = row.insertCell();
  made.textContent = text;
  if (className) made.className = className;
}

function count(studies) {
  if (!studies) return "–";
  return studies.value ?? (studies.atMost === null ? "–" : `at most ${studies.atMost}`);
}

function showArchive(body, archive) {
  const row = body.insertRow();
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = archive.title || archive.code;
  row.append(name);
  cell(row, archive.ern);
  cell(row, SEEN[archive.access] ?? archive.access);
  const { state, error } = archive.health;
  cell(row, error ? `${state.toLowerCase()}: ${error.message}` : state.toLowerCase(), state.toLowerCase());
  cell(row, count(archive.index?.studies), "number");
  const until = archive.index?.lastCompletedAt;
  cell(row, archive.index?.running ? "running now" : until ? new Date(until).toLocaleString() : "never");
}

/** Who is asking, and the way in or out where the server has one. */
function showViewer(viewer) {
  const local = viewer?.subject === "local";
  const name = viewer?.name || viewer?.subject;
  at("who").textContent = !viewer ? "" : local ? "You are at this machine, and see everything." : `You are ${name}.`;
  at("sign-in").hidden = !("signIn" in document.body.dataset) || Boolean(viewer && !local);
  at("sign-in").href = "/auth/login?return_to=/";
  at("sign-in").textContent = local ? "Sign in as somebody" : "Sign in";
  at("sign-out").hidden = !viewer || local;
}

async function showArchives() {
  const state = at("archives-state");
  try {
    const body = await ask(ARCHIVES);
    showViewer(body.data?.viewer);
    if (needsSignIn(body)) {
      state.textContent = "Sign in to see the archives.";
      return;
    }
    const archives = body.data?.archives;
    if (!archives) throw new Error(messages(body).join("\n") || "The answer holds no archives.");
    const up = archives.filter((archive) => archive.health.state === "UP").length;
    state.textContent = archives.length
      ? `${archives.length} archives, ${up} of them up.`
      : "No archive is configured yet, or none that you may see. The operator adds one to archives.toml.";
    archives.forEach((archive) => showArchive(at("archives").tBodies[0], archive));
    at("archives").hidden = archives.length === 0;
  } catch (error) {
    state.textContent = `The archives cannot be listed. ${error.message}`;
  }
}

async function signOut() {
  const answer = await fetch("/auth/logout", { method: "POST", headers: { "X-Ernfed-CSRF": "1" } });
  const { endSession } = answer.ok ? await answer.json() : {};
  location.assign(endSession || "/");
}

/** The operations of examples.graphql: each a comment, which is its title, and what follows. */
async function showExamples() {
  const text = await (await fetch("/static/examples.graphql")).text();
  for (const part of text.trim().split(/\n\n(?=# )/)) {
    const title = part.slice(2, part.indexOf("\n"));
    at("examples").add(new Option(title, part));
  }
  if (at("query").value === "") at("query").value = at("examples").value;
}

function tell(problem, warning = "") {
  for (const [id, words] of Object.entries({ problem, warning })) {
    at(id).textContent = words;
    at(id).hidden = words === "";
  }
}

/** The object in the field for variables; throws an Error with words for people. */
function variables() {
  const text = at("variables").value.trim();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The variables are not JSON: ${error.message}`);
  }
}

async function run() {
  const button = at("run");
  const query = at("query").value;
  if (button.getAttribute("aria-busy") === "true") return;
  if (query.trim() === "") {
    tell("There is no query to run: write one above.");
    return;
  }
  button.setAttribute("aria-busy", "true");
  tell("");
  at("timing").textContent = "Running …";
  const started = performance.now();
  try {
    const body = await ask(query, variables());
    const warnings = (body.extensions?.warnings ?? []).map((each) => `${each.code}: ${each.message}`);
    tell(messages(body).join("\n"), warnings.join("\n"));
    at("result").textContent = JSON.stringify(body, null, 2);
    at("timing").textContent = `Answered in ${Math.round(performance.now() - started)} ms.`;
  } catch (error) {
    tell(error.message);
    at("result").textContent = "No result.";
    at("timing").textContent = "";
  } finally {
    button.removeAttribute("aria-busy");
  }
}

at("examples").addEventListener("change", () => {
  at("query").value = at("examples").value;
});
at("sign-out").addEventListener("click", signOut);
at("run").addEventListener("click", run);
at("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
showArchives();
showExamples();
