// Opens a page in Chromium and tells what happened: `node look.mjs '{"url": …}'`, JSON to standard output.
//
// url, browser: the page, and the path of Chromium. picture: where a screenshot goes. cookies: as Playwright takes
// them. shown: waits until this many viewports of the viewer show an image. text: waits until the page shows it.

import { chromium } from "playwright-core";

const asked = JSON.parse(process.argv[2]);
const PATIENCE = 90_000; // software rendering on a busy machine
const SHOWN = (count) => {
  const engines = window.cornerstone?.getRenderingEngines() ?? [];
  const viewports = engines.flatMap((engine) => engine.getViewports());
  return viewports.filter((viewport) => viewport.getImageIds().length > 0 && viewport.viewportStatus === "rendered").length >= count;
};

// Of each viewport: how many images, and 4 × 4 points of the middle square of what is drawn (red, green, blue).
const SAMPLED = () => {
  const engines = window.cornerstone?.getRenderingEngines() ?? [];
  return engines.flatMap((engine) => engine.getViewports()).map((viewport) => {
    const canvas = viewport.getCanvas();
    const [side, context] = [Math.min(canvas.width, canvas.height), canvas.getContext("2d")];
    const at = (length, step) => Math.floor((length - side) / 2 + ((step + 0.5) * side) / 4);
    const steps = [0, 1, 2, 3];
    const point = (row, column) => [...context.getImageData(at(canvas.width, column), at(canvas.height, row), 1, 1).data].slice(0, 3);
    return { images: viewport.getImageIds().length, points: steps.map((row) => steps.map((column) => point(row, column))) };
  });
};

const browser = await chromium.launch({
  executablePath: asked.browser,
  headless: true,
  // Debian's Chromium as root in a container, and WebGL without a graphics card.
  args: ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"],
});
const told = { console: [], errors: [], requests: [], violations: [], viewports: [], title: "", status: 0 };
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  if (asked.cookies) await context.addCookies(asked.cookies);
  await context.exposeBinding("tellViolation", (_source, violation) => told.violations.push(violation));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      window.tellViolation(`${event.effectiveDirective} ${event.blockedURI}`),
    );
  });
  const page = await context.newPage();
  page.on("console", (message) => told.console.push({ type: message.type(), text: message.text(), at: message.location().url }));
  page.on("pageerror", (error) => told.errors.push(String(error)));
  context.on("requestfinished", async (request) => told.requests.push({ url: request.url(), status: (await request.response())?.status() }));
  context.on("requestfailed", (request) => told.requests.push({ url: request.url(), failed: request.failure()?.errorText }));
  try {
    const answer = await page.goto(asked.url);
    told.status = answer.status();
    if (asked.text) await page.getByText(asked.text).first().waitFor({ timeout: PATIENCE });
    if (asked.shown) await page.waitForFunction(SHOWN, asked.shown, { timeout: PATIENCE });
    told.title = await page.title();
    told.text = await page.innerText("body");
    told.viewports = await page.evaluate(SAMPLED);
  } catch (error) {
    told.errors.push(String(error));
  }
  told.url = page.url();
  if (asked.picture) await page.screenshot({ path: asked.picture });
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(told));
