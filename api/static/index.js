// The page at "/": the archives and one query. Everything comes from /graphql; text goes in as text only.
"use strict";

const ARCHIVES = `query Archives {
  archives {
    code
    title
    ern
    health { state error { message } }
    index { studies { value atMost } lastCompletedAt running }
  }
}`;

const READY = `# The newest studies of all archives, and whether every archive answered.
query NewestStudies {
  studies(first: 5, orderBy: [{ field: STUDY_DATE, direction: DESC }]) {
    totalCount
    complete
    nodes {
      studyInstanceUid
      studyDate
      studyDescription
      modalitiesInStudy
      patientName { text }
      locations { archive { code ern } }
    }
    sources { archive { code } state matched asOf error { code message } }
  }
}
`;

const at = (id) => document.getElementById(id);

/** Posts one operation. Answers the body; throws an Error with words for people. */
async function ask(query) {
  let response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query }),
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
  const { state, error } = archive.health;
  cell(row, error ? `${state.toLowerCase()}: ${error.message}` : state.toLowerCase(), state.toLowerCase());
  cell(row, count(archive.index?.studies), "number");
  const until = archive.index?.lastCompletedAt;
  cell(row, archive.index?.running ? "running now" : until ? new Date(until).toLocaleString() : "never");
}

async function showArchives() {
  const state = at("archives-state");
  try {
    const body = await ask(ARCHIVES);
    const archives = body.data?.archives;
    if (!archives) throw new Error(messages(body).join("\n") || "The answer holds no archives.");
    const up = archives.filter((archive) => archive.health.state === "UP").length;
    state.textContent = archives.length
      ? `${archives.length} archives, ${up} of them up.`
      : "No archive is configured yet. Add one to archives.toml, then run: ernfed index once";
    archives.forEach((archive) => showArchive(at("archives").tBodies[0], archive));
    at("archives").hidden = archives.length === 0;
  } catch (error) {
    state.textContent = `The archives cannot be listed. ${error.message}`;
  }
}

function tell(problem) {
  at("problem").textContent = problem;
  at("problem").hidden = problem === "";
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
    const body = await ask(query);
    tell(messages(body).join("\n"));
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

at("query").value = READY;
at("run").addEventListener("click", run);
at("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
showArchives();
