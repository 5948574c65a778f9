// The dashboard: asks for the runs and what they have logged, then follows the server's events. What
// it shows of them is in figures.js.
"use strict";

const MOST_ROWS = 4000; // kept of a run; beyond, half of them

// --- What arrives -------------------------------------------------------------------------------

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function addRow(run, row) {
  if (row.kind === "training") {
    const last = run.rows.at(-1);
    if (last && row.frames <= last.frames) return;
    run.rows.push(row);
    (row.staleness_counts || []).forEach((n, i) => { run.staleness[i] += n; });
    if (run.rows.length > MOST_ROWS) thin(run.rows);
  } else if (!run.evaluations.some((e) => e.kind === row.kind && e.frames === row.frames)) {
    run.evaluations.push(row);
    if (run.evaluations.length > MOST_ROWS) thin(run.evaluations);
  }
}

async function loadRows(index) {
  const run = state.runs[index];
  const { rows } = await fetchJson(`api/rows?run=${index}`);
  run.rows = [];
  run.evaluations = [];
  run.staleness = new Array(16).fill(0);
  rows.forEach((row) => addRow(run, row));
}

async function loadAll() {
  const before = state.runs;
  const answer = await fetchJson("api/runs");
  state.live = answer.snapshot || null;
  state.runs = answer.runs.map((run, i) =>
    ({ ...run, rows: [], evaluations: [], staleness: new Array(16).fill(0),
      visible: before[i] ? before[i].visible : true }));
  state.focus = Math.min(state.focus, state.runs.length - 1);
  nameRuns();
  await Promise.all(state.runs.map((_, i) => loadRows(i)));
  setUpRuns();
  draw();
}

function follow() {
  const source = new EventSource("api/events");
  const on = (name, action) => source.addEventListener(name, (event) => {
    action(JSON.parse(event.data));
  });
  // Sent whenever a connection begins, after a loss too.
  on("hello", () => {
    state.lost = "";
    loadAll().then(() => notice(""), (error) => notice(String(error.message)));
  });
  on("missed", () => loadAll().catch((error) => notice(String(error.message))));
  // The run went back to a checkpoint: what it logged after that is void.
  on("reset", ({ run }) => {
    if (state.runs[run]) loadRows(run).then(requestDraw, (error) => notice(String(error.message)));
  });
  on("row", ({ run, row }) => {
    if (!state.runs[run]) return;
    addRow(state.runs[run], row);
    requestDraw();
  });
  on("run", ({ run, description }) => {
    if (!state.runs[run]) return;
    Object.assign(state.runs[run], description);
    drawHeader();
  });
  on("live", (snapshot) => {
    if (state.runs.length === 0) return; // they are still on their way
    state.live = snapshot;
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

function swatch(colour) {
  const made = element("span", { className: "swatch" });
  made.style.background = `var(${colour})`;
  return made;
}

function setUpLegend() {
  byId("legend").replaceChildren(...state.runs.map((run) => {
    const box = element("input", { type: "checkbox", checked: run.visible });
    const other = run.environment !== state.runs[state.focus].environment;
    box.addEventListener("change", () => {
      run.visible = box.checked;
      drawCharts();
    });
    return element("li", { hidden: other }, element("label", {}, box, swatch(colourOf(run)),
      run.name));
  }));
  byId("legend").hidden = state.runs.length < 2;
}

function setUpRuns() {
  byId("focus-label").hidden = state.runs.length < 2;
  byId("focus").replaceChildren(...state.runs.map((run, i) =>
    new Option(run.name, String(i), false, i === state.focus)));
  const timed = state.runs.every((run) => run.rows.every((row) => Number.isFinite(row.seconds)));
  const time = document.querySelector("input[value=seconds]");
  time.disabled = !timed;
  time.title = timed ? "" : "a deterministic run logs no time";
  byId("work-legend").replaceChildren(...WORKS.map((name, i) =>
    element("li", {}, element("span", {}, swatch(WORK_COLOURS[i]), name))));
  setUpFocus();
}

function setUpFocus() {
  const run = state.runs[state.focus];
  setUpLegend();
  setUpGames(run, chooseGame);
  const players = run.bundles + run.actors;
  const others = state.runs.filter((one) => one.environment !== run.environment).length;
  byId("curve-note").textContent = `line: training return, mean of ${EPISODES} episodes, explored; ` +
    "band: 95 % confidence of that mean; points: evaluations ± standard error" +
    (run.games ? " · frames of all games together" : "") +
    (others > 0 ? ` · ${titleOf(run)} only: ${others} runs of other games, see Details of` : "");
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
  watchGame();
}

function chooseGame(name) {
  state.chosen = name;
  byId("chosen").value = name;
  draw();
  watchGame();
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
    input.addEventListener("change", () => {
      state.axis = input.value;
      drawCharts();
    });
  }
  byId("focus").addEventListener("change", () => {
    state.focus = Number(byId("focus").value);
    setUpFocus();
    draw();
  });
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

// --- The game -------------------------------------------------------------------------------------

// A hidden page or a paused game asks for no pictures.
function watchGame() {
  if (state.game) state.game.close();
  state.game = null;
  state.scale = { low: 0, high: 0 };
  if (state.runs.length > 0) nameBars(state.runs[state.focus].is_policy);
  if (state.paused || document.hidden || state.runs.length === 0) return;
  const run = state.runs[state.focus];
  const game = run.games ? `&game=${run.games.indexOf(state.chosen)}` : "";
  const source = new EventSource(
    `api/game?run=${state.focus}&actor=${byId("actor").value}${game}`);
  state.game = source;
  source.addEventListener("game", (event) => drawGame(JSON.parse(event.data)));
  const say = (event) => gameNote(JSON.parse(event.data).message);
  source.addEventListener("waiting", say);
  source.addEventListener("problem", (event) => {
    source.close();
    say(event);
  });
}

// Where a value's bar begins and how wide it is; low <= 0 <= high.
function barFromZero(value, low, high) {
  const range = Math.max(1e-6, high - low);
  return { marginLeft: `${(100 * (Math.min(0, value) - low)) / range}%`,
    width: `${(100 * Math.abs(value)) / range}%` };
}

function gameNote(text) {
  byId("game-note").textContent = text;
  byId("game-note").hidden = text === "";
  byId("screen").hidden = text !== "";
}

function nameBars(isPolicy) {
  byId("bars-title").textContent = isPolicy ? "Probabilities" : "Q-values";
}

// "sampled, epsilon 0.1": how a policy or values choose.
function actingText(game) {
  const epsilon = `epsilon ${formatNumber(game.epsilon)}`;
  if (!game.probabilities) return epsilon;
  const how = game.act === "sample" ? "sampled" : "most likely action";
  return game.epsilon > 0 ? `${how}, ${epsilon}` : how;
}

function drawGame(game) {
  gameNote("");
  byId("screen").src = game.image;
  byId("game-status").textContent = `episode ${game.episode}, step ${game.step}, return ` +
    `${formatNumber(game.return)} · ${actingText(game)} · ${game.source}`;
  nameBars(Boolean(game.probabilities));
  const values = game.probabilities || game.q;
  const list = byId("bars");
  while (list.children.length > values.length) list.lastChild.remove();
  while (list.children.length < values.length) {
    list.append(element("li", {}, element("span", { className: "name" }),
      element("span", { className: "track" }, element("i")),
      element("span", { className: "number" })));
  }
  // From zero, and one for all of a game; as film and terminal have it. Probabilities: to 1.
  const scale = state.scale;
  scale.low = Math.min(scale.low, ...values);
  scale.high = Math.max(scale.high, game.probabilities ? 1 : 0, ...values);
  values.forEach((value, i) => {
    const [name, track, number] = list.children[i].children;
    const chosen = i === game.chosen;
    name.textContent = game.actions[i] + (chosen && game.explores ? " (random)" : "");
    Object.assign(track.firstChild.style, barFromZero(value, scale.low, scale.high));
    number.textContent = value.toFixed(3);
    list.children[i].className = chosen ? "chosen" : "";
  });
}

setUpControls();
follow();
