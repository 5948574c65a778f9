// Looks at a page of gorila report in Chromium: node report.mjs FILE SCREENSHOT_FOLDER CHROMIUM
//
// Prints one JSON line: for each width and colour scheme what is too wide, how small the texts of its
// charts are, and their colours. Runs where playwright-core can be imported.
import { launch } from "./chromium.mjs";

const [file, folder, executablePath] = process.argv.slice(2);
const browser = await launch(executablePath);

// In the page: of the charts that are shown.
function look() {
  const shown = [...document.querySelectorAll("svg.chart")].filter((svg) => svg.checkVisibility());
  const sizes = shown.flatMap((svg) => [...svg.querySelectorAll("text")].map((text) =>
    parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a));
  const colours = (selector) =>
    [...new Set(shown.map((svg) => svg.querySelector(selector)).filter(Boolean)
      .map((element) => getComputedStyle(element).color))];
  // A table may be wider than the page in a box of its own.
  const tooWide = [...document.querySelectorAll("main *")].filter((element) =>
    element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 &&
    !element.closest(".scroll, pre, svg"));
  const cut = shown.flatMap((svg) => [...svg.querySelectorAll("text")].filter((text) => {
    const inner = text.getBoundingClientRect(), outer = svg.getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1;
  })).map((text) => text.textContent);
  return {
    charts: shown.length,
    titles: shown.map((svg) => svg.querySelector("title").textContent),
    smallest: Math.min(...sizes),
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    tooWide: tooWide.map((element) => element.outerHTML.slice(0, 80)),
    cut,
    films: [...document.querySelectorAll(".film")].map((film) => film.getBoundingClientRect().top),
    pushed: [...document.querySelectorAll(".scroll")].filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => box.querySelector("tr").textContent),
    ground: colours(".c-ground"), curve: colours(".c-1"), text: colours(".c-text"),
    page: getComputedStyle(document.body).backgroundColor,
  };
}

const seen = {};
for (const width of [390, 1280]) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme });
    await page.goto(`file://${file}`);
    const name = `${width}-${colorScheme}`;
    seen[name] = await page.evaluate(look);
    await page.screenshot({ path: `${folder}/report-${name}.png`, fullPage: true });
    await page.close();
  }
}
console.log(JSON.stringify(seen));
await browser.close();
