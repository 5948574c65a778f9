// The dashboard: asks for the runs and what the selected ones have logged, then follows the server's
// events. What it shows of them is in runs.js (the table), curves.js, figures.js and game.js.
"use strict";

const MOST_RECORDS = 4000; // kept of a run; beyond, neighbours become one
const MOST_AT_ONCE = 4; // runs whose records are asked for together
const AXES = ["frames", "updates", "seconds"];
const SMOOTHINGS = [1, 5, 10, 25, 50, 100, 250]; // points
// Of a folder with more runs only the newest is selected at first.
const SELECTED_AT_FIRST = 7;

// --- What arrives -------------------------------------------------------------------------------

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function addRecord(run, record) {
  if (record.kind === "training") {
    const last = run.records.at(-1);
    if (last && record.frames <= last.frames) return;
    run.records.push(record);
    (record.staleness_counts || []).forEach((n, i) => { run.staleness[i] += n; });
    thin(run.records, MOST_RECORDS);
  } else if (!run.evaluations.some((e) => e.kind === record.kind && e.frames === record.frames)) {
    run.evaluations.push(record);
    thin(run.evaluations, MOST_RECORDS);
  }
}

function setRecords(run, records) {
  run.records = [];
  run.evaluations = [];
  run.staleness = new Array(16).fill(0);
  records.forEach((record) => addRecord(run, record));
}

// Of many runs fewer records each, so that together they are no more than a browser holds.
function recordsOfEach(count) {
  return count <= 8 ? MOST_RECORDS : count <= 32 ? 1000 : 400;
}

async function loadRecords(run) {
  run.loaded = "loading";
  run.refusal = "";
  try {
    const wanted = recordsOfEach(selectedRuns().length);
    const most = wanted < MOST_RECORDS ? `&most=${wanted}` : "";
    const { rows } = await fetchJson(`api/rows?run=${run.index}${most}`);
    setRecords(run, rows);
    run.loaded = "yes";
  } catch (error) {
    run.loaded = "no";
    run.refusal = String(error.message);
    if (run.index === state.focus) notice(run.refusal);
  }
}

// The runs that something is drawn of.
function wantedRuns() {
  const focus = state.runs[state.focus];
  return focus ? [...new Set([focus, ...shownRuns()])] : [];
}

let loaders = 0;

// Asks for the records of all runs that are drawn and have none yet.
async function loadWanted() {
  if (loaders >= MOST_AT_ONCE) return;
  ++loaders;
  for (;;) {
    const run = wantedRuns().find((one) => one.loaded === "no" && !one.refusal);
    if (!run) break;
    const read = loadRecords(run);
    loadWanted();
    await read;
    requestDraw();
  }
  --loaders;
}

function newRun(description, index) {
  return { changed: {}, records: [], evaluations: [], staleness: new Array(16).fill(0), loaded: "no",
    refusal: "", selected: false, ...description, index };
}

function setUpList() {
  for (const run of state.runs) run.config = { ...state.settings, ...run.changed };
  nameRuns();
  for (const run of state.runs) run.searched = searchedText(run);
  byId("runs").hidden = state.folders.length === 0 && state.runs.length < 2;
  document.querySelector("main").classList.toggle("without-runs", state.runs.length === 0);
}

const awaited = new Map(); // ids of runs that the address selects and that are not there yet: slots

// What was selected before; at first what the address says or, if it does not, the first view.
function selectAgain(before) {
  const known = new Map(before.map((run) => [idOf(run), run]));
  for (const run of state.runs) {
    const old = known.get(idOf(run));
    if (old && old.selected) select(run, true, old.slot);
  }
  if (before.length === 0) selectByAddress();
  if (!chosen && selectedRuns().length === 0) selectFirstView();
}

function selectByAddress() {
  const { selected, focus } = readAddress();
  const focused = state.runs.find((run) => idOf(run) === focus);
  if (focused) state.focus = focused.index;
  if (selected === null) return;
  chosen = true;
  awaited.clear();
  selected.forEach((id, slot) => {
    if (id !== "") awaited.set(id, slot);
  });
  selectAwaited();
}

function selectAwaited() {
  if (awaited.size === 0) return;
  for (const run of state.runs) {
    const slot = awaited.get(idOf(run));
    if (slot === undefined) continue;
    select(run, true, slot);
    awaited.delete(idOf(run));
  }
}

function selectFirstView() {
  if (state.runs.length === 0 || !state.searched) return;
  if (state.folders.length === 0 || state.runs.length <= SELECTED_AT_FIRST) {
    state.runs.forEach((run) => select(run, true));
    return;
  }
  const newest = state.runs.reduce((best, run) => run.written > best.written ? run : best);
  state.focus = newest.index;
  select(newest, true);
}

let chosen = false; // somebody chose which runs are shown

async function loadAll() {
  const before = state.runs;
  const focused = before[state.focus] && idOf(before[state.focus]);
  const answer = await fetchJson("api/runs");
  state.live = answer.snapshot || null;
  state.settings = answer.settings;
  state.runOnly = new Set(answer.run_only);
  Object.assign(state, { folders: answer.folders, notes: answer.notes, searched: answer.searched });
  state.runs = answer.runs.map(newRun);
  table.rows.clear();
  setUpList();
  selectAgain(before);
  const found = state.runs.findIndex((run) => idOf(run) === focused);
  if (found >= 0) state.focus = found;
  state.focus = Math.max(0, Math.min(state.focus, state.runs.length - 1));
  drawTable();
  byId("state").textContent = state.runs.length === 0 ? "waiting" : "reading";
  if (state.runs.length === 0) return;
  await Promise.all(wantedRuns().slice(0, MOST_AT_ONCE).map(loadRecords));
  loadWanted();
  setUpRuns();
  draw();
}

// Of a run that is new, or in words that have changed.
function describeRun(index, description) {
  const run = state.runs[index];
  // Every run is described by how it differs from the first one.
  if (!run && state.runs.length === 0) {
    reload();
    return;
  }
  if (run) {
    if (run.loaded === "stale" && run.frames !== description.frames) run.loaded = "no";
    Object.assign(run, description);
  } else {
    state.runs[index] = newRun(description, index);
  }
  listChanged(!run);
}

let listPending = false;

// Hundreds of runs may be described at once.
function listChanged(isNew) {
  newRuns ||= isNew;
  if (listPending) return;
  listPending = true;
  setTimeout(() => {
    listPending = false;
    if (state.runs.length === 0) return;
    const begins = newRuns;
    newRuns = false;
    setUpList();
    if (begins) addToView();
    drawTable();
    drawHeader();
    if (begins) setUpRuns();
    loadWanted();
  }, 100);
}
let newRuns = false;

// Until somebody chooses, a few runs are all shown, as they begin.
function addToView() {
  selectAwaited();
  if (chosen || !state.searched) return;
  if (selectedRuns().length === 0) selectFirstView();
  else if (state.runs.length <= SELECTED_AT_FIRST) state.runs.forEach((run) => select(run, true));
}

function reload() {
  return loadAll().catch((error) => notice(String(error.message)));
}

let held = null; // events that arrive while the runs are read anew

function follow() {
  const source = new EventSource("api/events");
  const on = (name, action) => source.addEventListener(name, (event) => {
    const act = () => action(JSON.parse(event.data));
    if (held) held.push(act);
    else act();
  });
  const begin = async () => {
    held ||= [];
    try {
      await loadAll();
      notice("");
    } catch (error) {
      notice(String(error.message));
    }
    const waiting = held || [];
    held = null;
    waiting.forEach((act) => act());
  };
  // Sent whenever a connection begins, after a loss too.
  source.addEventListener("hello", () => {
    state.lost = "";
    begin();
  });
  source.addEventListener("missed", begin);
  // The run went back to a checkpoint: what it logged after that is void.
  on("reset", ({ run }) => {
    const one = state.runs[run];
    if (one && one.loaded !== "no") loadRecords(one).then(requestDraw);
  });
  on("row", ({ run, row }) => {
    if (!state.runs[run] || state.runs[run].loaded !== "yes") return;
    addRecord(state.runs[run], row);
    requestDraw();
  });
  // The server follows others instead; what is drawn of this one is read again once it has grown.
  on("dropped", ({ run }) => {
    if (state.runs[run] && state.runs[run].loaded === "yes") state.runs[run].loaded = "stale";
  });
  on("run", ({ run, description }) => describeRun(run, description));
  on("list", ({ notes, searched }) => {
    Object.assign(state, { notes, searched });
    drawTable();
    listChanged(state.runs.length > 0);
  });
  source.addEventListener("live", (event) => {
    if (state.runs.length === 0) return; // they are still on their way
    state.live = JSON.parse(event.data);
    drawPresent();
  });
  on("end", () => {
    state.live = null;
    state.lost = "program ended";
    drawHeader();
    notice("The program that served this page has ended. " +
      "'gorila dashboard' with the run's folder shows it again; this page then continues by itself.");
  });
  source.addEventListener("error", () => {
    state.lost ||= "connection lost";
    drawState();
  });
}

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = text === "";
}

// --- Controls -------------------------------------------------------------------------------------

// One line for each curve: a run's, or a group's.
function setUpLegend() {
  const shown = shownRuns();
  const lines = state.grouped ? [...byLabel(shown, (run) => run.group).values()]
    : shown.map((run) => [run]);
  byId("legend").replaceChildren(...lines.map((runs) => {
    const box = element("input", { type: "checkbox", checked: true });
    const name = state.grouped ? `${groupName(runs[0])} (${runs.length})` : runs[0].name;
    box.addEventListener("change", () => chooseRuns(runs, box.checked));
    const label = element("label", {}, box, swatch(lookOf(runs[0]).colour), name);
    label.classList.toggle("dashed", lookOf(runs[0]).dash !== "");
    return element("li", {}, label);
  }));
  byId("legend").hidden = state.runs.length < 2;
  setUpGameChoice();
}

// Games share no axes: a button for each that a selected run is of.
function setUpGameChoice() {
  const games = [...byLabel(selectedRuns(), (run) => run.environment).values()];
  byId("curve-games").hidden = games.length < 2;
  byId("curve-games").replaceChildren(...games.map((runs) => {
    const button = element("button", { type: "button", textContent: `${titleOf(runs[0])} (${runs.length})` });
    button.setAttribute("aria-pressed", String(isShown(runs[0])));
    button.addEventListener("click", () => {
      state.focus = runs[0].index;
      chooseRuns([], true);
      draw();
    });
    return button;
  }));
}

function swatch(colour) {
  const made = element("span", { className: "swatch" });
  made.style.background = `var(${colour})`;
  return made;
}

// Another selection: curves, table and address follow.
function chooseRuns(runs, selected) {
  chosen = true;
  for (const run of runs) select(run, selected);
  // What somebody selects is to be seen.
  const begins = runs.length > 0 ? runs : selectedRuns();
  if (selected && begins.length > 0 && !begins.some(isShown)) state.focus = begins[0].index;
  assignGroupSlots();
  drawTable();
  setUpRuns();
  drawCharts();
  loadWanted();
  rememberAddress();
}

function showDetails(run) {
  state.focus = run.index;
  table.cursor = run.index;
  chooseRuns([run], true);
  draw();
  if (run.refusal) notice(run.refusal);
  document.querySelector(".figures").scrollIntoView({ block: "nearest" });
}

function setUpRuns() {
  if (state.runs.length === 0) return;
  byId("focus-label").hidden = state.runs.length < 2;
  const offered = state.runs.length <= 50 ? state.runs : wantedRuns();
  byId("focus").replaceChildren(...offered.map((run) =>
    new Option(run.name, String(run.index), false, run.index === state.focus)));
  const timed = wantedRuns().every((run) => run.records.every((record) => Number.isFinite(record.seconds)));
  const time = document.querySelector("input[value=seconds]");
  time.disabled = !timed;
  time.title = timed ? "" : "a deterministic run logs no time";
  byId("work-legend").replaceChildren(...WORKS.map((name, i) =>
    element("li", {}, element("span", {}, swatch(WORK_COLOURS[i]), name))));
  setUpFocus();
}

let watched = ""; // the run, actor and game at play

function setUpFocus() {
  const run = state.runs[state.focus];
  setUpLegend();
  setUpGames(run, chooseGame);
  const players = run.bundles + run.actors;
  byId("configuration").replaceChildren(...Object.entries(run.config).map(([key, value]) =>
    element("tr", {}, element("th", { scope: "row", textContent: key }),
      element("td", { textContent: value }))));
  const scored = run.is_policy ? "evaluated" : "greedy";
  const actors = [new Option(scored, "-1")];
  for (let i = 0; i < Math.min(64, players); ++i) {
    actors.push(new Option(run.actors === 0 ? `actor ${i}` : playerName(run, i), String(i)));
  }
  const before = byId("actor").value;
  byId("actor").replaceChildren(...actors);
  if ([...byId("actor").options].some((o) => o.value === before)) byId("actor").value = before;
  // Another selection does not begin the game anew.
  const now = `${run.index} ${byId("actor").value} ${state.chosen}`;
  if (now !== watched || !state.game) watchGame();
  watched = now;
}

function chooseGame(name) {
  state.chosen = name;
  byId("chosen").value = name;
  draw();
  watchGame();
}

// How curves are drawn: controls, table, curves and address follow.
function changeView(change) {
  change();
  showControls();
  if (state.runs.length > 0) {
    drawTable();
    setUpLegend();
    drawCharts();
  }
  rememberAddress();
}

function showControls() {
  byId("search").value = table.search;
  byId("grouped").checked = state.grouped;
  byId("log-x").checked = view.logX;
  byId("log-y").checked = view.logY;
  byId("points").checked = view.evaluations;
  byId("smooth").value = String(SMOOTHINGS.indexOf(view.smoothed));
  byId("smooth-text").textContent = view.smoothed > 1 ? `smoothed: ${view.smoothed}` : "not smoothed";
  byId("zoom-out").hidden = view.zoom === null;
  document.querySelector(`input[name=axis][value=${state.axis}]`).checked = true;
}

// As the address says. The selection waits for the runs.
function applyAddress() {
  const said = readAddress();
  Object.assign(table, { search: said.search, order: said.order, descending: said.descending });
  Object.assign(state, { grouped: said.grouped, axis: said.axis });
  Object.assign(view, { logX: said.logX, logY: said.logY, smoothed: said.smoothed, zoom: said.zoom,
    evaluations: said.evaluations });
  showControls();
}

function setTheme(theme, remember) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  if (remember) localStorage.setItem("theme", theme);
}

function setUpControls() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(localStorage.getItem("theme") || (dark.matches ? "dark" : "light"), false);
  dark.addEventListener("change", () => {
    if (!localStorage.getItem("theme")) setTheme(dark.matches ? "dark" : "light", false);
  });
  byId("theme").addEventListener("click", () =>
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true));
  for (const input of document.querySelectorAll("input[name=axis]")) {
    input.addEventListener("change", () => changeView(() => {
      state.axis = input.value;
      view.zoom = null; // it was of the other one
    }));
  }
  byId("log-x").addEventListener("change", () => changeView(() => { view.logX = byId("log-x").checked; }));
  byId("log-y").addEventListener("change", () => changeView(() => { view.logY = byId("log-y").checked; }));
  byId("points").addEventListener("change", () => changeView(() => {
    view.evaluations = byId("points").checked;
  }));
  byId("smooth").addEventListener("input", () => changeView(() => {
    view.smoothed = SMOOTHINGS[Number(byId("smooth").value)];
  }));
  byId("grouped").addEventListener("change", () => changeView(() => {
    state.grouped = byId("grouped").checked;
  }));
  view.onZoom = (zoom) => changeView(() => { view.zoom = zoom; });
  byId("zoom-out").addEventListener("click", () => view.onZoom(null));
  byId("curve-csv").addEventListener("click", () => download("curves.csv", curveCsv()));
  byId("focus").addEventListener("change", () => showDetails(state.runs[Number(byId("focus").value)]));
  byId("chosen").addEventListener("change", () => chooseGame(byId("chosen").value));
  byId("actor").addEventListener("change", watchGame);
  byId("pause").addEventListener("click", () => {
    state.paused = !state.paused;
    byId("pause").textContent = state.paused ? "Play" : "Pause";
    byId("pause").setAttribute("aria-pressed", String(state.paused));
    watchGame();
  });
  document.addEventListener("visibilitychange", watchGame);
}

setUpTable();
setUpControls();
applyAddress();
followAddress(() => {
  applyAddress();
  state.runs.forEach((run) => select(run, false));
  selectByAddress();
  chooseRuns([], true);
  draw();
});
follow();
