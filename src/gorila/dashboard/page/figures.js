// What is known of the runs, and the figures that show it: curves and the present state.
"use strict";

const byId = (id) => document.getElementById(id);
const COLOURS = 7;
const WORKS = ["acting", "replay", "learning", "parameter server", "waiting"];
const MOST_THREADS = 16; // shown of a run; rows of more than that say only how they spread
const WORK_COLOURS = ["--series-2", "--series-3", "--series-0", "--series-1", "--grid"];

const state = {
  runs: [], // {label, state, ..., rows: [], evaluations: [], visible}
  focus: 0, // index of the run whose details are shown
  chosen: "", // of several games, the one that is shown alone
  axis: "frames",
  live: null, // the newest snapshot of a run that trains in the server
  lost: "", // why nothing new comes; the runs' states are then of before
  paused: false,
  game: null,
  scale: { low: 0, high: 0 }, // of the bars beside the game
};

const charts = {
  return: new LineChart(byId("chart-return"), "Learning curve"),
  loss: new LineChart(byId("chart-loss"), "Loss"),
  gradient_norm: new LineChart(byId("chart-norm"), "Gradient norm"),
  value_mean: new LineChart(byId("chart-value"), "Value"),
  entropy: new LineChart(byId("chart-entropy"), "Entropy"),
  epsilon: new LineChart(byId("chart-epsilon"), "Epsilon"),
  frames_per_second: new LineChart(byId("chart-frames"), "Frames a second"),
  updates_per_second: new LineChart(byId("chart-updates"), "Updates a second"),
  resident_bytes: new LineChart(byId("chart-memory"), "Memory",
    (mebibytes) => `${formatNumber(mebibytes)} MiB`),
};
const gameCells = new Map(); // by the game's name: {cell, button, number, chart, text}
const staleness = new BarChart(byId("chart-staleness"), "Staleness of gradients");

// --- Curves --------------------------------------------------------------------------------------

function xOf(row) {
  return state.axis === "frames" ? row.frames : row.seconds;
}

// A run's rows, of several games the one's that is asked for.
function rowsOf(run, game = state.chosen) {
  return run.games ? gameRows(run.rows, game) : run.rows;
}

// The evaluations' means, each with its standard error.
function evaluationPoints(run, game = state.chosen) {
  const rows = run.games ? gameRows(run.evaluations, game) : run.evaluations;
  return rows.filter((row) => Number.isFinite(row.return_mean)).map((row) => {
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

// For people: "minatar" where the environment has all of its games.
function titleOf(run) {
  return run.title || run.environment;
}

// "breakout" of a run's "minatar/breakout".
function gameLabel(run, name) {
  return run.game_labels[run.games.indexOf(name)];
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
      key === "environment.name" ? titleOf(run) : `${key}=${run.config[key]}`)].join(", ");
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

// What value_mean is of the runs whose curves share the axes.
function valueTitle() {
  const kinds = new Set(state.runs.filter(isShown).map((run) => run.is_policy));
  if (kinds.size > 1) return "Value (mean of max Q, of policies of V)";
  return kinds.has(true) ? "Value (mean of V)" : "Value (mean of max Q)";
}

function returnSeries(game) {
  return visibleSeries((run) => smoothedReturns(rowsOf(run, game)).map(({ row, mean, low, high }) =>
    ({ x: xOf(row), y: mean, low, high })));
}

function drawCharts() {
  byId("value-title").textContent = valueTitle();
  const evaluations = visibleSeries((run) => evaluationPoints(run)).map((one) =>
    ({ ...one, label: `${one.label}, evaluation`, dots: true }));
  charts.return.set([...returnSeries(state.chosen), ...evaluations], formatX);
  drawGames();
  for (const [name, chart] of Object.entries(charts)) {
    if (name === "return") continue;
    const unit = name === "resident_bytes" ? 2 ** 20 : 1;
    chart.set(visibleSeries((run) => valuesOf(run.rows, name, xOf, unit)), formatX);
  }
  byId("entropy").hidden = charts.entropy.series.length === 0; // no policy is learnt
}

// --- Several games ---------------------------------------------------------------------------------

// Calls `choose` with the game's name when somebody chooses it.
function setUpGames(run, choose) {
  const games = run.games || [];
  if (!games.includes(state.chosen)) state.chosen = games[0] || "";
  byId("games").hidden = byId("chosen-label").hidden = games.length === 0;
  byId("chosen").replaceChildren(...games.map((name) =>
    new Option(gameLabel(run, name), name, false, name === state.chosen)));
  byId("curve-title").textContent = "Learning curve";
  gameCells.clear();
  byId("games-list").replaceChildren(...games.map((name) => {
    const label = gameLabel(run, name);
    const number = element("b");
    const button = element("button", { type: "button" }, element("span", { textContent: label }),
      number);
    button.addEventListener("click", () => choose(name));
    const container = element("div", { className: "chart small" });
    const text = element("p", { className: "quiet" });
    gameCells.set(name, { button, number, chart: new LineChart(container, label), text });
    return element("li", {}, button, container, text);
  }));
}

function drawGames() {
  const run = state.runs[state.focus];
  if (!run.games) return;
  byId("curve-title").textContent = `Learning curve of ${gameLabel(run, state.chosen)}`;
  for (const [name, cell] of gameCells) {
    cell.button.setAttribute("aria-pressed", String(name === state.chosen));
    cell.chart.set(returnSeries(name), formatX);
  }
}

// Beside the curves: what a game's return is now, and how much of the run it had.
function drawGameNumbers(now) {
  for (const [name, cell] of gameCells) {
    const game = ((now && now.games) || []).find((one) => one.name === name);
    const evaluated = evaluationPoints(state.runs[state.focus], name).at(-1);
    cell.number.textContent = formatNumber(game ? game.return ?? NaN : NaN);
    cell.text.textContent = [`${formatNumber(game ? game.frames : NaN)} frames`,
      `${formatNumber(game ? game.episodes : NaN)} episodes`,
      ...(evaluated ? [`evaluated ${formatNumber(evaluated.y)}`] : [])].join(" · ");
  }
}

// Of a run that does not train here, from its last row.
function gamesOfRow(run, row) {
  return (run.games || []).filter((name) => row.games && row.games[name]).map((name) => {
    const smoothed = smoothedReturns(gameRows(run.rows, name)).at(-1);
    return { name, frames: row.games[name].frames, episodes: row.games[name].episodes,
      return: smoothed ? smoothed.mean : NaN };
  });
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
    work: row.work, bottleneck: row.bottleneck, games: gamesOfRow(run, row),
    bundles: pieces(row.bundle_work || [], WORKS.length).map((work) => ({ work })),
    learners: pieces(row.learner_work || [], WORKS.length),
    bundle_count: row.bundle_work_count ?? (row.bundle_work || []).length / WORKS.length,
    learner_count: row.learner_count ?? (row.learner_work || []).length / WORKS.length,
    // Rows of many threads have only how they spread.
    bundle_spread: spreadOf(row, "bundle_work"), learner_spread: spreadOf(row, "learner_work"),
  };
}

function spreadOf(row, name) {
  const [low, mean, high] = ["min", "mean", "max"].map((kind) => row[`${name}_${kind}`]);
  return low && mean && high ? { low, mean, high } : null;
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
  byId("environment").textContent = titleOf(run);
  byId("environment").title = run.environment;
  document.title = `${titleOf(run)} · Gorila`;
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
    const { mean, standard_error: error, protocol, episodes, aggregate } = run.evaluation;
    const spread = error === null ? "" : ` ± ${error.toFixed(2)}`;
    const what = aggregate ? `, ${aggregate}` : ""; // of several games
    parts.push(`final score ${mean.toFixed(2)}${spread} (${protocol}, ${episodes} episodes${what})`);
  }
  // The lock on a run's folder is not seen from another machine.
  if (run.elsewhere) {
    parts.push(run.state === "training" ? "held by no process here, but its log grows"
      : "held by no process here, and its log does not grow");
  }
  if (run.problem) parts.push(`cannot be read: ${run.problem}`);
  if (run.log_percent < 100) parts.push(`its log is being read: ${run.log_percent} % so far`);
  if (run.bad_lines > 0) parts.push(`${run.bad_lines} lines of the log cannot be read`);
  byId("progress-text").textContent = parts.join(" · ");
}

function drawPresent() {
  drawHeader();
  const now = present();
  const show = (id, text) => { byId(id).textContent = text; };
  const run = state.runs[state.focus];
  const game = ((now && now.games) || []).find((one) => one.name === state.chosen);
  byId("return-title").textContent = game ? `Return, ${gameLabel(run, game.name)}` : "Return";
  show("figure-return", now ? formatNumber((game || now).return ?? NaN) : "–");
  drawGameNumbers(now);
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

// `spread`: the lowest and highest shares of those that `shares` is the mean of.
function stack(name, shares, spread) {
  const bar = element("div");
  bar.setAttribute("role", "img");
  const percent = (share) => (100 * share).toFixed(0);
  bar.setAttribute("aria-label", shares.map((share, i) => `${WORKS[i]} ${percent(share)} %` +
    (spread ? ` (${percent(spread.low[i])} to ${percent(spread.high[i])} %)` : "")).join(", "));
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
  if (now && now.learner_spread) {
    stacks.push(stack("learners", now.learner_spread.mean, now.learner_spread));
  }
  if (now && now.bundle_spread) {
    stacks.push(stack(run.actors > 0 ? "players" : "bundles", now.bundle_spread.mean,
      now.bundle_spread));
  }
  if (threads.length > 1) {
    stacks.push(...threads.slice(0, MOST_THREADS).map(([name, work]) => stack(name, work)));
  }
  const count = now ? (now.bundle_count || 0) + (now.learner_count || 0) : 0;
  if (stacks.length > 0 && count > MOST_THREADS) {
    const shown = Math.min(threads.length, MOST_THREADS);
    stacks.push(element("p", { className: "quiet", textContent: shown > 1
      ? `${shown} of ${count} threads` : `mean of ${count} threads; point at a bar for the range` }));
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
