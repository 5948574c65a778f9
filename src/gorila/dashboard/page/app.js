// The dashboard: asks for the runs and what they have logged, then follows the server's events.
"use strict";

const byId = (id) => document.getElementById(id);
const COLOURS = 7;
const EPISODES = 100; // that a point of the learning curve is the mean of
const WORKS = ["acting", "replay", "learning", "parameter server", "waiting"];
const WORK_COLOURS = ["--series-2", "--series-3", "--series-0", "--series-1", "--grid"];
const MOST_ROWS = 4000; // kept of a run; beyond, half of them

const state = {
  runs: [], // {label, state, ..., rows: [], evaluations: [], visible}
  focus: 0, // index of the run whose details are shown
  axis: "frames",
  live: null, // the newest snapshot of a run that trains in the server
  lost: "", // why nothing new comes; the runs' states are then of before
  paused: false,
  game: null,
  scale: { low: 0, high: 0 }, // of the game's Q-values
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

// Of every four rows the lowest and the highest stay; the newest four stay as they are. In place.
function thin(rows) {
  const kept = [];
  let i = 0;
  for (; i + 8 <= rows.length; i += 4) {
    const [first, ...others] = [0, 1, 2, 3].map((j) => i + j);
    let [low, high] = [first, first];
    for (const j of others) {
      if (rows[j].return_mean < (rows[low].return_mean ?? Infinity)) low = j;
      if (rows[j].return_mean >= (rows[high].return_mean ?? -Infinity)) high = j;
    }
    if (low === high) high = i + (low === i ? 3 : 0);
    kept.push(rows[Math.min(low, high)], rows[Math.max(low, high)]);
  }
  rows.splice(0, i, ...kept);
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

// The mean return of the last EPISODES episodes up to each row, and the 95 % confidence interval of
// that mean over the same episodes, where the log has their deviation.
function smoothedReturns(rows) {
  const ended = rows.filter((row) => row.return_episodes > 0);
  return ended.map((row, i) => {
    let [wanted, sum] = [EPISODES, 0];
    const batches = [];
    for (let j = i; j >= 0 && wanted > 0; --j) {
      const taken = Math.min(wanted, ended[j].return_episodes);
      sum += taken * ended[j].return_mean;
      wanted -= taken;
      batches.push([taken, ended[j]]);
    }
    const count = EPISODES - wanted;
    const mean = sum / count;
    return { row, mean, ...intervalOf(batches, count, mean) };
  });
}

function intervalOf(batches, count, mean) {
  if (count < 2) return {};
  let squares = 0;
  for (const [taken, row] of batches) {
    const deviation = row.return_episodes === 1 ? 0 : row.return_standard_deviation;
    if (!Number.isFinite(deviation)) return {};
    const spread = deviation ** 2 * (1 - 1 / row.return_episodes);
    squares += taken * (spread + (row.return_mean - mean) ** 2);
  }
  const half = 1.96 * Math.sqrt(squares / (count - 1) / count);
  return { low: mean - half, high: mean + half };
}

// The evaluations' means, each with its standard error.
function evaluationPoints(run) {
  return run.evaluations.filter((row) => Number.isFinite(row.return_mean)).map((row) => {
    const error = row.standard_error ?? 0;
    return { x: xOf(row), y: row.return_mean, low: row.return_mean - error,
      high: row.return_mean + error };
  });
}

// Equal names have one colour.
function colourOf(run) {
  const names = [...new Set(state.runs.map((one) => one.name))];
  return `--series-${names.indexOf(run.name) % COLOURS}`;
}

// Only runs of the game in focus share axes.
function isShown(run) {
  return run.visible && run.environment === state.runs[state.focus].environment;
}

// Settings that two repetitions of a run may differ in.
const RUN_ONLY = new RegExp("^(run[.](seed|metrics_every_.*)|atari[.]rom_folder|" +
  "(checkpoint|slurm|kubernetes)[.].*|cluster[.](cpus|memory_mb|metrics_port|shared_memory))$");

// A label, and where that does not tell runs apart their game and the settings in which they differ.
function nameRuns() {
  for (const run of state.runs) {
    const alike = state.runs.filter((one) => one.label === run.label);
    const differs = (key) => !RUN_ONLY.test(key) &&
      alike.some((one) => one.config[key] !== run.config[key]);
    run.name = [run.label, ...Object.keys(run.config).filter(differs).map((key) =>
      key === "environment.name" ? run.environment : `${key}=${run.config[key]}`)].join(", ");
  }
}

function visibleSeries(points) {
  return state.runs.flatMap((run) => isShown(run)
    ? [{ label: run.name, colour: colourOf(run),
         points: points(run).filter((p) => Number.isFinite(p.x)) }]
    : []);
}

function formatX(x) {
  return state.axis === "frames" ? formatNumber(x) : formatSeconds(x);
}

function drawCharts() {
  const returns = (run) => smoothedReturns(run.rows).map(({ row, mean, low, high }) =>
    ({ x: xOf(row), y: mean, low, high }));
  const evaluations = visibleSeries(evaluationPoints).map((one) =>
    ({ ...one, label: `${one.label}, evaluation`, dots: true }));
  charts.return.set([...visibleSeries(returns), ...evaluations], formatX);
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
  const smoothed = smoothedReturns(run.rows).at(-1);
  return {
    frames: row.frames, total_frames: Number(run.total_frames), updates: row.updates,
    frames_per_second: row.frames_per_second, updates_per_second: row.updates_per_second,
    epsilon: row.epsilon, return: smoothed ? smoothed.mean : NaN, accepted: row.gradients_accepted,
    stale: row.gradients_stale, outliers: row.gradients_outlier, invalid: row.gradients_invalid,
    seconds_elapsed: row.seconds, resident_bytes: row.resident_bytes, staleness: run.staleness,
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
  const players = run.bundles + run.actors;
  const others = state.runs.filter((one) => one.environment !== run.environment).length;
  byId("curve-note").textContent = `line: training return, mean of ${EPISODES} episodes, explored; ` +
    "band: 95 % confidence of that mean; points: evaluations ± standard error" +
    (others > 0 ? ` · ${run.environment} only: ${others} runs of other games, see Details of` : "");
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
  state.scale = { low: 0, high: 0 };
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
  const scale = state.scale; // from zero, and one for all of a game; as film and terminal have it
  scale.low = Math.min(scale.low, ...game.q);
  scale.high = Math.max(scale.high, ...game.q);
  game.q.forEach((q, i) => {
    const [name, track, number] = list.children[i].children;
    const chosen = i === game.chosen;
    name.textContent = game.actions[i] + (chosen && game.explores ? " (random)" : "");
    Object.assign(track.firstChild.style, barFromZero(q, scale.low, scale.high));
    number.textContent = q.toFixed(3);
    list.children[i].className = chosen ? "chosen" : "";
  });
}

setUpControls();
follow();
