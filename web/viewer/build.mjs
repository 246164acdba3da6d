// Builds the viewer for /viewer/ of this server: `node web/viewer/build.mjs FOLDER`. Needs npm, and no package
// besides the one that package-lock.json names, whose hash npm checks. None of its code is run.
//
// OHIF is published for the root of a server, with 150 MB that nothing here asks for. What is taken, below
// FOLDER/files/: bundles, styles, WebAssembly, fonts, pictures. Its public path becomes /viewer/DIGEST/, where
// DIGEST is of all that the build is made from: so every file but the page itself can be kept by browsers for good.
// FOLDER/build.json says what is there, for api/viewer.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import * as zlib from "node:zlib";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const SOURCES = ["app-config.js", "build.mjs", "index.html", "package-lock.json", "package.json"];
const PACKAGE = "node_modules/@ohif/app";
const TAKEN = /^(?:[\w-]+\.bundle\.[0-9a-f]{16}\.js|[\w.]+\.css|[0-9a-f]{16}\.(?:wasm|woff2)|assets\/(?:favicon\.ico|images\/[\w-]+\.png))$/;
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};
const COMPRESSED = new Set([".css", ".html", ".js", ".wasm"]);

// What is changed in OHIF, and how often it stands there: a release in which it stands elsewhere needs a look.
const RUNTIME = '__webpack_require__.p = "/";';
const PATCHES = [
  { in: ".js", find: RUNTIME, put: (base) => RUNTIME.replace("/", base), count: 8 },
  { in: ".css", find: "url(/", put: (base) => `url(${base}`, count: 5 },
  // One study whose modalities have no value made the list of studies an empty one.
  { in: ".js", find: "(ModalitiesInStudy) {", put: () => "(ModalitiesInStudy?.Value) {", count: 1 },
];

class BuildError extends Error {}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function digest() {
  const hash = createHash("sha256");
  for (const name of SOURCES) {
    const content = fs.readFileSync(path.join(HERE, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

function digestOf(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, "build.json"), "utf8")).digest;
  } catch {
    return null; // not built, or not whole
  }
}

// What builds that were killed have left beside the folder.
function clearLeftOvers(folder) {
  const prefix = `${path.basename(folder)}.new-`;
  for (const name of fs.readdirSync(path.dirname(folder))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0;
    if (pid && !isRunning(pid)) fs.rmSync(path.join(path.dirname(folder), name), { recursive: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function fetchPackage(into) {
  const locked = JSON.parse(fs.readFileSync(path.join(HERE, "package-lock.json"), "utf8")).packages[PACKAGE];
  say(`fetching OHIF ${locked.version} with npm (60 MB)`);
  for (const name of ["package.json", "package-lock.json"]) fs.copyFileSync(path.join(HERE, name), path.join(into, name));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--fetch-retries=1"];
  const done = spawnSync("npm", ["ci", ...flags], { cwd: into, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (done.error) throw new BuildError(`npm cannot be run (${done.error.code}). Install it: apt-get install npm`);
  if (done.status !== 0) throw new BuildError(`npm could not fetch it: ${reasonIn(done.stderr)}`);
  return path.join(into, PACKAGE);
}

// Of npm's many lines the code and the first that says why.
function reasonIn(text) {
  const lines = text.split("\n").map((line) => line.replace(/^npm error ?/, "").trim());
  const code = lines.find((line) => line.startsWith("code ")) ?? "";
  const why = lines.find((line) => /reason:|Error:|integrity|[Nn]ot [Ff]ound|EACCES/.test(line)) ?? lines[0];
  return [code.slice(5), why].filter(Boolean).join(", ");
}

// Path → content of what is taken, with the public path of this server.
function patched(dist, base) {
  const names = fs.readdirSync(dist, { recursive: true }).map((name) => name.split(path.sep).join("/"));
  const files = new Map(names.filter((name) => TAKEN.test(name)).sort().map((name) => [name, fs.readFileSync(path.join(dist, name))]));
  for (const patch of PATCHES) {
    let count = 0;
    for (const [name, content] of files) {
      if (path.extname(name) !== patch.in || !content.includes(patch.find)) continue;
      const parts = content.toString("utf8").split(patch.find);
      count += parts.length - 1;
      files.set(name, Buffer.from(parts.join(patch.put(base)), "utf8"));
    }
    if (count !== patch.count) {
      throw new BuildError(
        `${JSON.stringify(patch.find)} stands ${count} times in OHIF's ${patch.in} files and not ${patch.count} times: ` +
          "this is another OHIF than build.mjs knows. Look at its places, then correct PATCHES.",
      );
    }
  }
  return files;
}

function only(names, pattern) {
  const found = names.filter((name) => pattern.test(name));
  if (found.length !== 1) throw new BuildError(`OHIF has ${found.length} files like ${pattern}, not one`);
  return found[0];
}

function write(folder, name, content) {
  const file = path.join(folder, "files", name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  const encodings = [];
  if (COMPRESSED.has(path.extname(name))) {
    const quality = { [zlib.constants.BROTLI_PARAM_QUALITY]: 9, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length };
    fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(content, { params: quality }));
    fs.writeFileSync(`${file}.gz`, zlib.gzipSync(content, { level: 9 }));
    encodings.push("br", "gzip");
  }
  return {
    type: TYPES[path.extname(name)] ?? "text/plain; charset=utf-8",
    sha256: createHash("sha256").update(content).digest("hex"),
    encodings,
  };
}

function build(folder, wanted) {
  const work = `${folder}.new-${process.pid}`;
  fs.mkdirSync(work);
  try {
    const source = fetchPackage(work);
    const base = `/viewer/${wanted}/`;
    const files = patched(path.join(source, "dist"), base);
    const app = only([...files.keys()], /^app\.bundle\.[0-9a-f]+\.js$/);
    only([...files.keys()], /^app\.bundle\.css$/);
    // A bundle with a runtime of its own is the app or a worker.
    const workers = [...files].filter(([name, content]) => name !== app && content.includes(`.p = "${base}"`)).map(([name]) => name);
    const page = fs.readFileSync(path.join(HERE, "index.html"), "utf8").replaceAll("@BASE@", base).replace("@APP@", app);
    files.set("index.html", Buffer.from(page, "utf8"));
    for (const [name, from] of [["app-config.js", HERE], ["LICENSE", source]]) files.set(name, fs.readFileSync(path.join(from, name)));
    say(`compressing ${files.size} files`);
    const made = path.join(work, "made");
    const table = {};
    for (const [name, content] of files) table[name] = { ...write(made, name, content), worker: workers.includes(name) };
    fs.writeFileSync(path.join(made, "build.json"), JSON.stringify({ digest: wanted, files: table }, null, 1));
    // A server that runs looks there with every request of its page: it misses the folder for a moment at most.
    if (fs.existsSync(folder)) fs.renameSync(folder, path.join(work, "before"));
    fs.renameSync(made, folder);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

function main() {
  if (process.argv.length !== 3) throw new BuildError("build.mjs FOLDER");
  const folder = path.resolve(process.argv[2]);
  const wanted = digest();
  if (digestOf(folder) === wanted) {
    say("the viewer is there");
    return;
  }
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0 && digestOf(folder) === null) {
    throw new BuildError(`${folder} is no viewer's: name a new folder, or remove it`);
  }
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  clearLeftOvers(folder);
  build(folder, wanted);
  say(`the viewer is ready: ${folder}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof BuildError) && error.code === undefined) throw error; // a mistake of this file
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
