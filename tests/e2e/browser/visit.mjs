// Visits a dashboard in Chromium: node visit.mjs URL SCREENSHOT_FOLDER CHROMIUM
//
// Prints one JSON line when the page has been seen alive, waits for a line on standard input (by then
// the run has ended), and prints a second one. Runs where playwright-core can be imported.
import { createInterface } from "node:readline/promises";
import { launch, open, overflows, unnamedControls } from "./chromium.mjs";

const [url, folder, executablePath] = process.argv.slice(2);
const TIMEOUT = 60000; // ms; a busy machine is slow

const browser = await launch(executablePath);
const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
page.setDefaultTimeout(TIMEOUT);
const errors = [];
const requests = new Set();
page.on("console", (message) => {
  if (message.type() === "error") errors.push(message.text());
});
page.on("pageerror", (error) => errors.push(String(error)));
page.on("request", (request) => requests.add(new URL(request.url()).origin));

const curve = "#chart-return path.line";
const attribute = (selector, name) => page.getAttribute(selector, name);

async function waitForChange(selector, name) {
  const before = await attribute(selector, name);
  await page.waitForFunction(([selector, name, before]) => {
    const element = document.querySelector(selector);
    return element && element.getAttribute(name) !== before;
  }, [selector, name, before], { timeout: TIMEOUT });
}

async function seeAlive() {
  await page.waitForSelector(curve, { state: "attached" });
  await page.waitForSelector("#screen", { state: "visible" });
  await waitForChange(curve, "d");
  await waitForChange("#screen", "src");
}

async function readByKeyboard() {
  await page.focus("#chart-loss svg");
  await page.keyboard.press("ArrowLeft");
  return page.textContent("#readout");
}

// The run's state arrives before the runs do: their answer is held back until then.
async function loadSlowly() {
  await page.route("**/api/runs", async (route) => {
    await page.evaluate(() => new Promise((resolve) => {
      let left = 2; // the page's own source has had the first one
      const source = new EventSource("api/events");
      source.addEventListener("live", () => {
        if (--left > 0) return;
        source.close();
        resolve();
      });
    }));
    await route.continue();
  }, { times: 1 });
  await page.reload();
  await seeAlive();
}

// Of a run with several games: the names in the panel of all, and what is shown once the last of
// them is chosen.
async function chooseLastGame() {
  const games = await page.$$eval("#games-list button span", (all) =>
    all.map((name) => name.textContent));
  if (games.length > 0) {
    await page.click("#games-list li:last-child button");
    await waitForChange("#screen", "src");
  }
  return { games, curveTitle: await page.textContent("#curve-title"),
    returnTitle: await page.textContent("#return-title"),
    bars: await page.locator("#bars li").count(),
    gameCurves: await page.locator("#games-list path.line").count() };
}

const curveHeight = () => page.$eval("#chart-return", (chart) => chart.clientHeight);

// Whether the longest bottleneck does not fit into its place.
const bottleneckIsCut = () => page.$eval("#figure-bottleneck", (place) => {
  place.textContent = "parameter server";
  return place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
});

async function takePictures(name) {
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

await open(page, url);
await seeAlive();
const alive = {
  heading: await page.textContent("#environment"),
  state: await page.textContent("#state"),
  bars: await page.locator("#bars li").count(),
  barsTitle: await page.textContent("#bars-title"),
  valueTitle: await page.textContent("#value-title"),
  gameStatus: await page.textContent("#game-status"),
  actors: await page.$$eval("#actor option", (all) => all.map((option) => option.textContent)),
  readout: await readByKeyboard(),
  labels: await page.$$eval(".chart svg[role=img]", (all) =>
    all.filter((svg) => !svg.closest("[hidden]")).map((svg) => svg.ariaLabel)),
  unnamed: await unnamedControls(page),
};
alive.chosen = await chooseLastGame();
await takePictures("light");
await page.click("#theme");
alive.theme = await attribute("html", "data-theme");
await takePictures("dark");
const height = await curveHeight();
await page.setViewportSize({ width: 390, height: 844 });
await page.waitForFunction(() =>
  document.querySelector("#chart-return svg").viewBox.baseVal.width < 390);
await takePictures("phone");
alive.overflows = await overflows(page);
alive.bottleneckIsCut = await bottleneckIsCut();
await page.setViewportSize({ width: 1440, height: 900 });
alive.curveGrew = (await curveHeight()) - height;
await page.setViewportSize({ width: 1280, height: 900 });
alive.bottleneckIsCut ||= await bottleneckIsCut();
await page.reload();
await seeAlive();
alive.themeAfterReload = await attribute("html", "data-theme");
await loadSlowly();
alive.errors = [...errors];
alive.origins = [...requests];
console.log(JSON.stringify(alive));

const input = createInterface({ input: process.stdin });
await input[Symbol.asyncIterator]().next();
await page.waitForSelector("#notice", { state: "visible" });
await takePictures("ended");
console.log(JSON.stringify({
  notice: await page.textContent("#notice"),
  state: await page.textContent("#state"),
  curve: await attribute(curve, "d"),
  pageErrors: errors.filter((text) => !text.includes("ERR_")),
}));
input.close();
await browser.close();
