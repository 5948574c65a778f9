// The figures of the run in focus: its games, and its present state.
"use strict";

const gameCells = new Map(); // by the game's name: {cell, button, number, chart, text}
const staleness = new BarChart(byId("chart-staleness"), "Staleness of gradients");

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
    cell.chart.set(returnSeries(name));
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

// Of a run that does not train here, from its last record.
function gamesOfRecord(run, record) {
  return (run.games || []).filter((name) => record.games && record.games[name]).map((name) => {
    const smoothed = smoothedReturns(gameRecords(run.records, name)).at(-1);
    return { name, frames: record.games[name].frames, episodes: record.games[name].episodes,
      return: smoothed ? smoothed.mean : NaN };
  });
}

// --- The present state ----------------------------------------------------------------------------

// What the focused run is like now: the live snapshot, else its last record.
function present() {
  const run = state.runs[state.focus];
  if (state.live && state.focus === 0) return state.live;
  const record = run && run.records.at(-1);
  if (!record) return null;
  const smoothed = smoothedReturns(run.records).at(-1);
  return {
    frames: record.frames, total_frames: Number(run.total_frames), updates: record.updates,
    frames_per_second: record.frames_per_second, updates_per_second: record.updates_per_second,
    epsilon: record.epsilon, return: smoothed ? smoothed.mean : NaN, accepted: record.gradients_accepted,
    stale: record.gradients_stale, outliers: record.gradients_outlier, invalid: record.gradients_invalid,
    seconds_elapsed: record.seconds, resident_bytes: record.resident_bytes, staleness: run.staleness,
    work: record.work, bottleneck: record.bottleneck, games: gamesOfRecord(run, record),
    bundles: pieces(record.bundle_work || [], WORKS.length).map((work) => ({ work })),
    learners: pieces(record.learner_work || [], WORKS.length),
    bundle_count: record.bundle_work_count ?? (record.bundle_work || []).length / WORKS.length,
    learner_count: record.learner_count ?? (record.learner_work || []).length / WORKS.length,
    // Records of many threads have only how they spread.
    bundle_spread: spreadOf(record, "bundle_work"), learner_spread: spreadOf(record, "learner_work"),
  };
}

function spreadOf(record, name) {
  const [low, mean, high] = ["min", "mean", "max"].map((kind) => record[`${name}_${kind}`]);
  return low && mean && high ? { low, mean, high } : null;
}

function pieces(list, size) {
  const all = [];
  for (let i = 0; i < list.length; i += size) all.push(list.slice(i, i + size));
  return all;
}

// Those who play, in the order in which records and snapshots name them.
function playerName(run, i) {
  return i < run.bundles ? `bundle ${i}` : `actor ${i - run.bundles}`;
}

function drawState() {
  const run = state.runs[state.focus];
  if (!run && !state.lost) return;
  const now = run && run.gone ? "gone" : run && run.state;
  byId("state").textContent = state.lost || now;
  byId("state").dataset.state = state.lost ? "lost" : now;
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
let drawnAt = 0; // when the last drawing ended
let drawingTook = 0; // ms

// Curves of a hundred runs take a while: the page stays usable while records arrive.
function requestDraw() {
  if (drawPending) return;
  drawPending = true;
  const rest = Math.max(0, drawnAt + 3 * drawingTook - performance.now());
  setTimeout(() => requestAnimationFrame(() => {
    drawPending = false;
    draw();
  }), rest);
}

function draw() {
  const began = performance.now();
  drawCharts();
  drawPresent();
  drawnAt = performance.now();
  drawingTook = drawnAt - began;
}
