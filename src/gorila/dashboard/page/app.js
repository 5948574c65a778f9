// The dashboard: asks for the runs and what they have logged, then follows the server's events.
"use strict";

const byId = (id) => document.getElementById(id);
const COLOURS = 7;
const EPISODES = 100; // that a point of the learning curve is the mean of
const WORKS = ["acting", "replay", "learning", "parameter server", "waiting"];
const WORK_COLOURS = ["--series-2", "--series-3", "--series-0", "--series-1", "--grid"];
// The 97.5 % quantile of Student's t for 3, 4, ... degrees of freedom; beyond, the normal one.
const STUDENT = [3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

const state = {
  runs: [], // {label, state, ..., rows: [], evaluations: [], visible}
  focus: 0, // index of the run whose details are shown
  axis: "frames",
  live: null, // the newest snapshot of a run that trains in the server
  lost: "", // why nothing new comes; the runs' states are then of before
  paused: false,
  game: null,
};

const charts = {
  return: new LineChart(byId("chart-return"), "Learning curve"),
  loss: new LineChart(byId("chart-loss"), "Loss"),
  gradient_norm: new LineChart(byId("chart-norm"), "Gradient norm"),
  value_mean: new LineChart(byId("chart-value"), "Value"),
  epsilon: new LineChart(byId("chart-epsilon"), "Epsilon"),
  frames_per_second: new LineChart(byId("chart-frames"), "Frames a second"),
  updates_per_second: new LineChart(byId("chart-updates"), "Updates a second"),
  resident_bytes: new LineChart(byId("chart-memory"), "Memory",
    (mebibytes) => `${formatNumber(mebibytes)} MiB`),
};
const staleness = new BarChart(byId("chart-staleness"), "Staleness of gradients");

// --- What arrives -------------------------------------------------------------------------------

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function addRow(run, row) {
  if (row.kind === "training") {
    const last = run.rows.at(-1);
    if (!last || row.frames > last.frames) run.rows.push(row);
  } else if (!run.evaluations.some((e) => e.kind === row.kind && e.frames === row.frames)) {
    run.evaluations.push(row);
  }
}

async function loadRows(index) {
  const run = state.runs[index];
  const { rows } = await fetchJson(`api/rows?run=${index}`);
  run.rows = [];
  run.evaluations = [];
  rows.forEach((row) => addRow(run, row));
}

async function loadAll() {
  const before = state.runs;
  const answer = await fetchJson("api/runs");
  state.live = answer.snapshot || null;
  state.runs = answer.runs.map((run, i) =>
    ({ ...run, rows: [], evaluations: [], visible: before[i] ? before[i].visible : true }));
  state.focus = Math.min(state.focus, state.runs.length - 1);
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
      "'gorila dashboard' with the run's folder shows it again; this page then goes on by itself.");
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

// --- Curves --------------------------------------------------------------------------------------

function xOf(row) {
  return state.axis === "frames" ? row.frames : row.seconds;
}

// The mean return of the last EPISODES episodes up to each row.
function smoothedReturns(rows) {
  const ended = rows.filter((row) => row.return_episodes > 0);
  return ended.map((row, i) => {
    let [wanted, sum] = [EPISODES, 0];
    for (let j = i; j >= 0 && wanted > 0; --j) {
      const taken = Math.min(wanted, ended[j].return_episodes);
      sum += taken * ended[j].return_mean;
      wanted -= taken;
    }
    return { row, mean: sum / (EPISODES - wanted) };
  });
}

// 95 % confidence of the mean over bundles; with fewer than four, from the lowest to the highest.
function bundleBand(row) {
  const means = (row.bundle_returns || []).filter((mean) => mean !== null);
  if (means.length < 2) return {};
  if (means.length < 4) return { low: Math.min(...means), high: Math.max(...means) };
  const mean = means.reduce((sum, m) => sum + m, 0) / means.length;
  const variance = means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / (means.length - 1);
  const half = (STUDENT[means.length - 4] || 1.96) * Math.sqrt(variance / means.length);
  return { low: mean - half, high: mean + half };
}

function visibleSeries(points) {
  return state.runs.flatMap((run, i) => run.visible
    ? [{ label: run.label, colour: `--series-${i % COLOURS}`,
         points: points(run).filter((p) => Number.isFinite(p.x)) }]
    : []);
}

function formatX(x) {
  return state.axis === "frames" ? formatNumber(x) : formatSeconds(x);
}

function drawCharts() {
  const returns = (run) => smoothedReturns(run.rows).map(({ row, mean }) =>
    ({ x: xOf(row), y: mean, ...bundleBand(row) }));
  charts.return.set(visibleSeries(returns), formatX);
  for (const [name, chart] of Object.entries(charts)) {
    if (name === "return") continue;
    const unit = name === "resident_bytes" ? 2 ** 20 : 1;
    const points = (run) => run.rows.map((row) => ({ x: xOf(row), y: (row[name] ?? NaN) / unit }));
    chart.set(visibleSeries(points), formatX);
  }
}

// --- The present state ----------------------------------------------------------------------------

// What the focused run is like now: the live snapshot, else its last row.
function present() {
  const run = state.runs[state.focus];
  if (state.live && state.focus === 0) return state.live;
  const row = run && run.rows.at(-1);
  if (!row) return null;
  const sums = new Array(16).fill(0);
  for (const each of run.rows) (each.staleness_counts || []).forEach((n, i) => { sums[i] += n; });
  const smoothed = smoothedReturns(run.rows).at(-1);
  return {
    frames: row.frames, total_frames: Number(run.total_frames), updates: row.updates,
    frames_per_second: row.frames_per_second, updates_per_second: row.updates_per_second,
    epsilon: row.epsilon, return: smoothed ? smoothed.mean : NaN, accepted: row.gradients_accepted,
    stale: row.gradients_stale, outliers: row.gradients_outlier, invalid: row.gradients_invalid,
    seconds_elapsed: row.seconds, resident_bytes: row.resident_bytes, staleness: sums,
    work: row.work, bottleneck: row.bottleneck,
    bundles: pieces(row.bundle_work || [], WORKS.length).map((work) => ({ work })),
    learners: pieces(row.learner_work || [], WORKS.length),
  };
}

function pieces(list, size) {
  const all = [];
  for (let i = 0; i < list.length; i += size) all.push(list.slice(i, i + size));
  return all;
}

// Those who play, in the order in which rows and snapshots name them.
function playerName(run, i) {
  return i < run.bundles ? `bundle ${i}` : `actor ${i - run.bundles}`;
}

function drawState() {
  const run = state.runs[state.focus];
  if (!run && !state.lost) return;
  byId("state").textContent = state.lost || run.state;
  byId("state").dataset.state = state.lost ? "lost" : run.state;
}

function drawHeader() {
  const run = state.runs[state.focus];
  if (!run) return;
  byId("environment").textContent = run.environment;
  document.title = `${run.environment} · Gorila`;
  drawState();
  const now = present();
  const done = now ? Math.min(1, now.frames / now.total_frames) : 0;
  byId("progress-bar").style.width = `${100 * done}%`;
  const parts = [`${run.label}, seed ${run.seed}`];
  if (now) {
    parts.push(`${formatNumber(now.frames)} of ${formatNumber(now.total_frames)} frames`);
    if (Number.isFinite(now.seconds_elapsed)) parts.push(formatSeconds(now.seconds_elapsed));
    if (Number.isFinite(now.seconds_left) && run.state === "training") {
      parts.push(`${formatSeconds(now.seconds_left)} left`);
    }
  }
  if (run.evaluation) {
    const { mean, standard_error: error, protocol, episodes } = run.evaluation;
    const spread = error === null ? "" : ` ± ${error.toFixed(2)}`;
    parts.push(`final score ${mean.toFixed(2)}${spread} (${protocol}, ${episodes} episodes)`);
  }
  // The lock on a run's folder is not seen from another machine.
  if (run.elsewhere) {
    parts.push(run.state === "training" ? "held by no process here, but its log grows"
      : "held by no process here, and its log does not grow");
  }
  if (run.problem) parts.push(`cannot be read: ${run.problem}`);
  if (run.bad_lines > 0) parts.push(`${run.bad_lines} lines of the log cannot be read`);
  byId("progress-text").textContent = parts.join(" · ");
}

function drawPresent() {
  drawHeader();
  const now = present();
  const show = (id, text) => { byId(id).textContent = text; };
  show("figure-return", now ? formatNumber(now.return ?? NaN) : "–");
  show("figure-frames", now ? formatNumber(now.frames_per_second ?? NaN) : "–");
  show("figure-updates", now ? formatNumber(now.updates_per_second ?? NaN) : "–");
  show("figure-epsilon", now ? formatNumber(now.epsilon ?? NaN) : "–");
  show("figure-memory", now ? formatBytes(now.resident_bytes ?? NaN) : "–");
  show("figure-bottleneck", (now && now.bottleneck) || "–");
  drawStaleness(now);
  drawGradients(now);
  drawWork(now);
}

// Buckets 0, 1, 2 to 3, 4 to 7, ...; empty ones at the end are left out.
function drawStaleness(now) {
  const counts = (now && now.staleness) || [];
  const used = Math.max(4, counts.findLastIndex((count) => count > 0) + 1);
  staleness.set(counts.slice(0, used).map((value, i) => {
    const [low, high] = [i === 0 ? 0 : 2 ** (i - 1), 2 ** i - 1];
    const range = low === high ? `${low}` : `${low}–${high}`;
    return { label: i === 15 ? `${low}+` : range, short: formatNumber(low), value };
  }));
}

function drawGradients(now) {
  const rows = [["accepted", now && now.accepted], ["stale", now && now.stale],
    ["outlier", now && now.outliers], ["invalid", now && now.invalid]];
  const sum = rows.reduce((total, [, count]) => total + (count || 0), 0);
  byId("gradients").replaceChildren(...rows.map(([name, count]) => element("tr", {},
    element("th", { scope: "row", textContent: name }),
    element("td", { textContent: formatNumber(count ?? NaN) }),
    element("td", { textContent: sum > 0 ? `${((100 * count) / sum).toFixed(1)} %` : "–" }))));
}

function stack(name, shares) {
  const bar = element("div");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", shares.map((share, i) =>
    `${WORKS[i]} ${(100 * share).toFixed(0)} %`).join(", "));
  bar.title = bar.getAttribute("aria-label");
  shares.forEach((share, i) => {
    const piece = element("i");
    piece.style.width = `${100 * share}%`;
    piece.style.background = `var(${WORK_COLOURS[i]})`;
    bar.append(piece);
  });
  return element("div", { className: "stack" }, element("span", { textContent: name }), bar);
}

function drawWork(now) {
  const stacks = [];
  if (now && now.work) stacks.push(stack("together", now.work));
  const run = state.runs[state.focus];
  const threads = [
    ...((now && now.learners) || []).map((work, i) => [`learner ${i}`, work]),
    ...((now && now.bundles) || []).map((bundle, i) => [playerName(run, i), bundle.work]),
  ].filter(([, work]) => work.some((share) => share > 0));
  if (threads.length > 1) {
    stacks.push(...threads.slice(0, 16).map(([name, work]) => stack(name, work)));
  }
  if (stacks.length === 0) {
    stacks.push(element("p", { className: "quiet", textContent: "not logged by this run" }));
  }
  byId("work").replaceChildren(...stacks);
}

let drawPending = false;
function requestDraw() {
  if (drawPending) return;
  drawPending = true;
  requestAnimationFrame(() => {
    drawPending = false;
    draw();
  });
}

function draw() {
  drawCharts();
  drawPresent();
}

// --- Controls -------------------------------------------------------------------------------------

function swatch(colour) {
  const made = element("span", { className: "swatch" });
  made.style.background = `var(${colour})`;
  return made;
}

function setUpRuns() {
  byId("legend").replaceChildren(...state.runs.map((run, i) => {
    const box = element("input", { type: "checkbox", checked: run.visible });
    box.addEventListener("change", () => {
      run.visible = box.checked;
      drawCharts();
    });
    return element("li", {}, element("label", {}, box, swatch(`--series-${i % COLOURS}`),
      run.label));
  }));
  byId("legend").hidden = state.runs.length < 2;
  byId("focus-label").hidden = state.runs.length < 2;
  byId("focus").replaceChildren(...state.runs.map((run, i) =>
    new Option(run.label, String(i), false, i === state.focus)));
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
  const players = run.bundles + run.actors;
  const names = run.actors === 0 ? "bundles" : run.bundles === 0 ? "actors" : "bundles and actors";
  const band = players >= 4 ? `95 % confidence of the mean over ${names}`
    : `from the lowest of the ${names} to the highest`;
  byId("curve-note").textContent = `training return, mean of ${EPISODES} episodes` +
    (players > 1 ? `; band: ${band}` : "");
  byId("configuration").replaceChildren(...Object.entries(run.config).map(([key, value]) =>
    element("tr", {}, element("th", { scope: "row", textContent: key }),
      element("td", { textContent: value }))));
  const actors = [new Option("greedy", "-1")];
  for (let i = 0; i < Math.min(64, players); ++i) {
    actors.push(new Option(run.actors === 0 ? `actor ${i}` : playerName(run, i), String(i)));
  }
  const before = byId("actor").value;
  byId("actor").replaceChildren(...actors);
  if ([...byId("actor").options].some((o) => o.value === before)) byId("actor").value = before;
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
  if (state.paused || document.hidden || state.runs.length === 0) return;
  const source = new EventSource(`api/game?run=${state.focus}&actor=${byId("actor").value}`);
  state.game = source;
  source.addEventListener("game", (event) => drawGame(JSON.parse(event.data)));
  const say = (event) => gameNote(JSON.parse(event.data).message);
  source.addEventListener("waiting", say);
  source.addEventListener("problem", (event) => {
    source.close();
    say(event);
  });
}

function gameNote(text) {
  byId("game-note").textContent = text;
  byId("game-note").hidden = text === "";
  byId("screen").hidden = text !== "";
}

function drawGame(game) {
  gameNote("");
  byId("screen").src = game.image;
  byId("game-status").textContent = `episode ${game.episode}, step ${game.step}, return ` +
    `${formatNumber(game.return)} · epsilon ${formatNumber(game.epsilon)} · ${game.source}`;
  const list = byId("q-values");
  while (list.children.length > game.q.length) list.lastChild.remove();
  while (list.children.length < game.q.length) {
    list.append(element("li", {}, element("span", { className: "name" }),
      element("span", { className: "track" }, element("i")),
      element("span", { className: "number" })));
  }
  const [least, most] = [Math.min(...game.q), Math.max(...game.q)];
  game.q.forEach((q, i) => {
    const [name, track, number] = list.children[i].children;
    const chosen = i === game.chosen;
    name.textContent = game.actions[i] + (chosen && game.explores ? " (random)" : "");
    track.firstChild.style.width = `${10 + (90 * (q - least)) / Math.max(1e-9, most - least)}%`;
    number.textContent = q.toFixed(3);
    list.children[i].className = chosen ? "chosen" : "";
  });
}

setUpControls();
follow();
