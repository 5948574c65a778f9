// Chromium as the scripts beside this one use it. Runs where playwright-core can be imported.
import { chromium } from "playwright-core";

// A browser that asks nobody but the pages it is given.
export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
      "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync"],
  });
}

// Opens a dashboard's address. Chromium connects ahead of its request, and the server hangs up on who
// says nothing for a second: where the machine is that busy, the page is asked for again, as a person
// would.
export async function open(page, url) {
  for (let more = 5; ; --more) {
    try {
      return await page.goto(url);
    } catch (error) {
      if (more === 0 || !/ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE/.test(error.message)) throw error;
    }
  }
}

// Whether anything is wider than the page.
export const overflows = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

// Buttons, lists and inputs without a name for screen readers.
export const unnamedControls = (page) => page.$$eval("button, select, input", (all) =>
  all.filter((control) => !control.textContent.trim() && !control.labels?.length &&
    !control.ariaLabel).length);
