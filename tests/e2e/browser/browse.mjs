// Browses a folder of runs in Chromium, as a person would: node browse.mjs URL SCREENSHOT_FOLDER CHROMIUM
//
// Prints one JSON line with what the page had at each step. Waits for a line on standard input before
// the last one (by then another run has begun). Runs where playwright-core can be imported.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { launch, open, overflows, unnamedControls } from "./chromium.mjs";

const [url, folder, executablePath] = process.argv.slice(2);
const TIMEOUT = 60000; // ms; a busy machine is slow

const browser = await launch(executablePath);
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: "dark" });
page.setDefaultTimeout(TIMEOUT);
const errors = [];
page.on("console", (message) => {
  if (message.type() === "error") errors.push(message.text());
});
page.on("pageerror", (error) => errors.push(String(error)));

const names = () => page.$$eval("#runs-body tr:not(.group) td.col-run button", (all) =>
  all.map((one) => one.textContent));
const curves = () => page.locator("#chart-return path.line:not(.faint)").count();
const waitForCurves = (count) => page.waitForFunction((count) =>
  document.querySelectorAll("#chart-return path.line:not(.faint)").length === count, count);
const ticksOfX = () => page.$$eval("#chart-return text[text-anchor=middle]", (all) =>
  all.map((one) => one.textContent));
const selectionOf = () => page.$$eval("#runs-body tr", (all) => all.filter((row) =>
  row.querySelector("input").checked).map((row) => row.querySelector("button").textContent));

async function csvOf(button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return readFile(await download.path(), "utf8");
}

async function search(text) {
  await page.keyboard.press("/");
  await page.fill("#search", text);
  return names();
}

const seen = {};
await open(page, url);
await page.waitForSelector("#runs-body tr");
await page.waitForFunction(() => !document.querySelector("#runs-count").textContent.includes("searching"));
await waitForCurves(await page.locator("#runs-body input:checked").count());
seen.theme = await page.getAttribute("html", "data-theme");
seen.all = (await names()).sort();
seen.notes = await page.$$eval("#runs-notes li", (all) => all.map((one) => one.textContent));
seen.shownAtFirst = (await selectionOf()).sort();

seen.found = { name: await search("beta"), setting: await search("n_step=3"),
  number: await search("seed>1 state=finished"), nothing: await search("zebra") };
await page.keyboard.press("Escape");
seen.found.cleared = (await names()).length;
await page.click("#runs-head th[data-column=run] button");
seen.ascending = await names();
await page.click("#runs-head th[data-column=run] button");
seen.descending = await names();
seen.sort = await page.getAttribute("#runs-head th[data-column=run]", "aria-sort");

// By keys: none, then the first two of the table.
await page.click("#runs-head th[data-column=run] button");
await page.keyboard.press("n");
await waitForCurves(0);
for (const key of ["j", "x", "j", "x"]) await page.keyboard.press(key);
await waitForCurves(2);
seen.byKeys = await selectionOf();
const colours = () => page.$$eval("#chart-return path.line:not(.faint)", (all) =>
  all.map((one) => one.style.stroke));
seen.colours = await colours();
seen.evaluations = await page.locator("#chart-return .evaluation").count();
seen.errorBars = await page.locator("#chart-return .error").count();
seen.curvesCsv = await csvOf("#curve-csv");
seen.tableCsv = await csvOf("#runs-csv");
await page.click("#differences-details summary");
await page.waitForSelector("#differences-body tr");
const lefts = (selector) => page.$$eval(selector, (all) => all.map((cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return Math.round(text.getBoundingClientRect().left);
}));
seen.columns = [await lefts("#differences-head th"),
  await lefts("#differences-body tr:first-child :is(th, td)")];
seen.tableIsCut = await page.$eval("#runs .scroll", (box) => box.scrollWidth > box.clientWidth);
seen.differences = await page.$$eval("#differences-body th", (all) => all.map((one) => one.textContent));

// A selected one's colour stays when another goes.
await page.keyboard.press("k");
await page.keyboard.press("x");
await waitForCurves(1);
seen.colourThatStays = await colours();
await page.keyboard.press("a");
await waitForCurves((await names()).length);

await page.keyboard.press("g");
seen.groups = await page.$$eval("#runs-body tr.group td:last-child", (all) =>
  all.map((one) => one.textContent));
await waitForCurves(seen.groups.length);
seen.bands = await page.locator("#chart-return path.band").count();
seen.note = await page.textContent("#curve-note");
await page.keyboard.press("g");

await page.$eval("#smooth", (slider) => {
  slider.value = "2";
  slider.dispatchEvent(new Event("input"));
});
seen.smoothed = { text: await page.textContent("#smooth-text"),
  chart: await page.textContent("#chart-return .note"),
  raw: await page.locator("#chart-return path.faint").count() };

seen.ticks = await ticksOfX();
await page.locator("#chart-return svg").scrollIntoViewIfNeeded();
const box = await page.locator("#chart-return svg").boundingBox();
await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
await page.mouse.down();
await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 4 });
await page.mouse.up();
await page.waitForSelector("#zoom-out", { state: "visible" });
seen.zoomedCsv = await csvOf("#curve-csv");
await page.check("#log-y");
seen.zoomedTicks = await ticksOfX();
await page.waitForFunction(() => location.hash.includes("logy") && location.hash.includes("zoom"));
seen.hash = new URL(page.url()).hash;
await page.reload();
await page.waitForSelector("#zoom-out", { state: "visible" });
await waitForCurves((await names()).length);
seen.afterReload = { ticks: await ticksOfX(), hash: new URL(page.url()).hash,
  logY: await page.isChecked("#log-y"), selected: (await selectionOf()).length };
await page.uncheck("#log-y");
await page.screenshot({ path: `${folder}/runs_dark.png`, fullPage: true });
await page.dblclick("#chart-return svg");
await page.waitForSelector("#zoom-out", { state: "hidden" });
seen.ticksAfterDoubleClick = await ticksOfX();
await page.check("input[name=axis][value=updates]", { force: true });
seen.updates = { curves: await curves(),
  evaluations: await page.locator("#chart-return .evaluation").count() };
seen.hasTime = await page.isEnabled("input[value=seconds]");

await page.click("#theme");
await page.screenshot({ path: `${folder}/runs_light.png`, fullPage: true });
await page.setViewportSize({ width: 390, height: 844 });
await page.waitForFunction(() =>
  document.querySelector("#chart-return svg").viewBox.baseVal.width < 390);
seen.overflows = await overflows(page);
await page.screenshot({ path: `${folder}/runs_phone.png`, fullPage: true });
await page.setViewportSize({ width: 1440, height: 1000 });
await page.keyboard.press("?");
seen.help = await page.isVisible("#help");
await page.keyboard.press("Escape");
seen.unnamed = await unnamedControls(page);
console.log(JSON.stringify(seen));

const input = createInterface({ input: process.stdin });
const [added, removed] = (await input[Symbol.asyncIterator]().next()).value.split(" ");
await page.waitForFunction(([added, removed]) => {
  const rows = [...document.querySelectorAll("#runs-body tr")];
  const of = (name) => rows.find((row) => row.querySelector("button")?.textContent === name);
  return of(added) && of(removed)?.classList.contains("gone");
}, [added, removed]);
console.log(JSON.stringify({ all: (await names()).sort(), errors }));
input.close();
await browser.close();
