// What is known of the runs, which of them are selected, and the curves that show these.
"use strict";

const byId = (id) => document.getElementById(id);
const COLOURS = 7;
const MOST_DRAWN = 100; // runs whose curves are drawn together
const WORKS = ["acting", "replay", "learning", "parameter server", "waiting"];
const MOST_THREADS = 16; // shown of a run; records of more than that say only how they spread
const WORK_COLOURS = ["--series-2", "--series-3", "--series-0", "--series-1", "--grid"];

const state = {
  runs: [], // {label, state, ..., config, records, evaluations, staleness, loaded, selected, slot}
  folders: [], // that are searched for runs
  notes: [], // what is wrong with some of them
  searched: false, // whether all folders were searched once
  runOnly: new Set(), // settings that two repetitions of a run may differ in
  focus: 0, // index of the run whose details are shown
  chosen: "", // of several games, the one that is shown alone
  axis: "frames", // the name of the records' number that curves run over
  grouped: false, // repetitions are one curve
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
  policy_loss: new LineChart(byId("chart-policy-loss"), "Loss of the policy"),
  baseline_loss: new LineChart(byId("chart-baseline-loss"), "Loss of V"),
  entropy: new LineChart(byId("chart-entropy"), "Entropy"),
  epsilon: new LineChart(byId("chart-epsilon"), "Epsilon"),
  frames_per_second: new LineChart(byId("chart-frames"), "Frames a second"),
  updates_per_second: new LineChart(byId("chart-updates"), "Updates a second"),
  resident_bytes: new LineChart(byId("chart-memory"), "Memory",
    (gibibytes) => formatBytes(gibibytes * 2 ** 30)),
};

// Panels that a run without a policy lacks, and their charts.
const OF_POLICIES = [["policy-loss", "policy_loss"], ["baseline-loss", "baseline_loss"],
  ["entropy", "entropy"]];

// --- Selection, names and colours ---------------------------------------------------------------

const selectedRuns = () => state.runs.filter((run) => run.selected);

// For people: "minatar" where the environment has all of its games.
function titleOf(run) {
  return run.title || run.environment;
}

// "breakout" of a run's "minatar/breakout".
function gameLabel(run, name) {
  return run.game_labels[run.games.indexOf(name)];
}

// The first number that none of `taken` has.
function freeSlot(taken) {
  const used = new Set(taken);
  let slot = 0;
  while (used.has(slot)) ++slot;
  return slot;
}

// A run keeps its colour for as long as it is selected. Equal names have one colour. `slot`: the
// colour that it had before, if it had one.
function select(run, selected, slot) {
  if (run.selected === selected) return;
  run.selected = selected;
  if (!selected) return;
  const others = selectedRuns().filter((one) => one !== run);
  const namesake = others.find((one) => one.name === run.name);
  run.slot = namesake ? namesake.slot : slot ?? freeSlot(others.map((one) => one.slot));
}

const groupSlots = new Map(); // by the group's id, while a run of it is selected

function assignGroupSlots() {
  const groups = new Set(selectedRuns().map((run) => run.group));
  for (const group of groupSlots.keys()) {
    if (!groups.has(group)) groupSlots.delete(group);
  }
  for (const group of groups) {
    if (!groupSlots.has(group)) groupSlots.set(group, freeSlot(groupSlots.values()));
  }
}

// Beyond the colours there are, with dashes.
function lookOf(run) {
  const slot = state.grouped ? groupSlots.get(run.group) ?? 0 : run.slot ?? 0;
  return { colour: `--series-${slot % COLOURS}`,
    dash: DASHES[Math.floor(slot / COLOURS) % DASHES.length] };
}

// Only runs of the game in focus share axes.
function isShown(run) {
  return run.selected && run.environment === state.runs[state.focus].environment;
}

const shownRuns = () => state.runs.filter(isShown).slice(0, MOST_DRAWN);

// The settings in which runs differ, in the order of the configuration.
function differingKeys(runs) {
  if (runs.length < 2) return [];
  const candidates = new Set(runs.flatMap((run) => Object.keys(run.changed)));
  return Object.keys(runs[0].config).filter((key) => candidates.has(key) &&
    runs.some((run) => run.config[key] !== runs[0].config[key]));
}

// Those that tell a run from others: repetitions do not differ in them. The algorithm says most; the
// checksum of an initial network says nothing beside its path.
function tellingKeys(runs) {
  const all = differingKeys(runs).filter((key) => !state.runOnly.has(key));
  const recorded = all.includes("network.init_from") ? "network.init_record" : "";
  const first = all.filter((key) => key === "learner.algorithm");
  return [...first, ...all.filter((key) => !first.includes(key) && key !== recorded)];
}

// "n_step=3", with the key's section where the last part alone is that of several.
function settingText(run, key, keys) {
  const last = key.slice(key.lastIndexOf(".") + 1);
  const alone = keys.every((one) => one === key || !one.endsWith(`.${last}`));
  return `${alone ? last : key}=${run.config[key]}`;
}

function byLabel(runs, label) {
  const all = new Map();
  for (const run of runs) {
    if (!all.has(label(run))) all.set(label(run), []);
    all.get(label(run)).push(run);
  }
  return all;
}

// A label, and where that does not tell runs apart their game and the settings in which they differ.
// `differences`: in which settings a run differs from others of its game.
function nameRuns() {
  for (const alike of byLabel(state.runs, (run) => run.label).values()) {
    const keys = tellingKeys(alike);
    for (const run of alike) {
      run.name = [run.label, ...keys.map((key) =>
        key === "environment.name" ? titleOf(run) : settingText(run, key, keys))].join(", ");
    }
  }
  for (const alike of byLabel(state.runs, (run) => run.environment).values()) {
    const keys = tellingKeys(alike);
    for (const run of alike) {
      run.differences = keys.map((key) => settingText(run, key, keys)).join(", ");
    }
  }
}

// What a run's repetitions have in common, in words.
function groupName(run) {
  return run.differences || titleOf(run);
}

// --- Curves --------------------------------------------------------------------------------------

function xOf(record) {
  return record[state.axis] ?? NaN;
}

// A run's records, of several games the one's that is asked for.
function recordsOf(run, game = state.chosen) {
  return run.games ? gameRecords(run.records, game) : run.records;
}

// The evaluations' means, each with its standard error.
function evaluationPoints(run, game = state.chosen) {
  const all = placed(run.evaluations, run.records, state.axis);
  const records = run.games ? gameRecords(all, game) : all;
  return records.filter((record) => Number.isFinite(record.return_mean)).map((record) => {
    const error = record.standard_error ?? 0;
    return { x: xOf(record), y: record.return_mean, low: record.return_mean - error,
      high: record.return_mean + error };
  });
}

// The drawn series of one chart: each run's, or each group's mean, with its interval where the chart
// is to have bands; smoothed, with what they are smoothed of behind them.
function seriesOf(points, withBands = false) {
  const smooth = (all) => view.smoothed > 1 ? movingMean(all, view.smoothed) : all;
  const withRaw = (name, run, all) => [
    ...(view.smoothed > 1 ? [{ label: name, ...lookOf(run), points: all, faint: true }] : []),
    { label: name, ...lookOf(run), points: smooth(all) }];
  const finite = (run) => points(run).filter((p) => Number.isFinite(p.x));
  if (!state.grouped) return shownRuns().flatMap((run) => withRaw(run.name, run, finite(run)));
  return [...byLabel(shownRuns(), (run) => run.group).values()].flatMap((runs) => {
    const curves = runs.map(finite).filter((curve) => curve.some((p) => Number.isFinite(p.y)));
    if (curves.length === 0) return [];
    const name = `${groupName(runs[0])} (${curves.length === 1 ? "1 run" : `${curves.length} runs`})`;
    return [
      ...(view.smoothed > 1 ? [{ label: name, ...lookOf(runs[0]), points: meanOfRuns(curves, false),
        faint: true }] : []),
      { label: name, ...lookOf(runs[0]), points: meanOfRuns(curves.map(smooth), withBands) }];
  });
}

// What value_mean is of the runs whose curves share the axes.
function valueTitle() {
  const kinds = new Set(state.runs.filter(isShown).map((run) => run.is_policy));
  if (kinds.size > 1) return "Value (mean of max Q, of policies of V)";
  return kinds.has(true) ? "Value (mean of V)" : "Value (mean of max Q)";
}

// smoothedReturns() of a run, computed again only when it has other records.
function returnsOf(run, game) {
  const last = run.records.at(-1);
  const known = `${run.records.length} ${last ? last.frames : ""} ${game}`;
  if (game !== state.chosen) return smoothedReturns(recordsOf(run, game));
  if (run.returnsKnown !== known) {
    run.returnsKnown = known;
    run.returns = smoothedReturns(recordsOf(run, game));
  }
  return run.returns;
}

function returnSeries(game, withBands = false) {
  return seriesOf((run) => returnsOf(run, game).map(({ record, mean, low, high }) =>
    ({ x: xOf(record), y: mean, low, high })), withBands);
}

function evaluationSeries() {
  return shownRuns().map((run) => ({ label: `${run.name}, evaluation`, ...lookOf(run), dots: true,
    points: evaluationPoints(run).filter((p) => Number.isFinite(p.x)) }));
}

// What the learning curve is, in words.
function curveNote() {
  const run = state.runs[state.focus];
  const selected = selectedRuns();
  const others = selected.filter((one) => one.environment !== run.environment).length;
  const shown = state.runs.filter(isShown).length;
  const parts = [`line: training return, mean of ${EPISODES} episodes, explored`];
  if (state.grouped) parts.push("mean over the runs of a group where all of them have a value; " +
    "band: its 95 % bootstrap interval over runs");
  else if (shown <= FEW && view.smoothed === 1) parts.push("band: 95 % confidence of that mean");
  if (view.evaluations) parts.push("points: evaluations ± standard error");
  if (view.smoothed > 1) parts.push(`smoothed: mean of ${view.smoothed} points, unsmoothed behind`);
  const text = [parts.join("; ")];
  if (run.games) text.push("frames of all games together");
  if (others > 0) text.push(`${titleOf(run)} only; ${others} selected runs are of other games`);
  if (shown > MOST_DRAWN) text.push(`the first ${MOST_DRAWN} of ${shown} selected runs`);
  const refused = selected.filter((one) => one.refusal).length;
  if (refused > 0) text.push(`${refused} selected runs cannot be read`);
  const waiting = selected.filter((one) => one.loaded !== "yes" && !one.refusal).length;
  if (waiting > 0) text.push(`reading ${waiting} runs`);
  return text.join(" · ");
}

function drawCharts() {
  if (state.runs.length === 0) return;
  assignGroupSlots();
  view.unitX = state.axis === "seconds" ? "seconds" : "number";
  byId("curve-note").textContent = curveNote();
  byId("value-title").textContent = valueTitle();
  charts.return.set([...returnSeries(state.chosen, true),
    ...(view.evaluations ? evaluationSeries() : [])]);
  drawGames();
  const reading = selectedRuns().some((run) => run.loaded !== "yes" && !run.refusal);
  for (const [name, chart] of Object.entries(charts)) {
    chart.empty.textContent = reading ? "reading the log" : "nothing logged yet";
    if (name === "return") continue;
    const unit = name === "resident_bytes" ? 2 ** 30 : 1;
    chart.set(seriesOf((run) => valuesOf(run.records, name, xOf, unit)));
  }
  for (const [panel, name] of OF_POLICIES) byId(panel).hidden = charts[name].series.length === 0;
}

// --- What is shown, as text ------------------------------------------------------------------------

function csvField(value) {
  const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvOf = (rows) => rows.map((row) => row.map(csvField).join(",")).join("\n") + "\n";

// The points of the learning curve that are within its axes.
function curveCsv() {
  const [from, to] = view.zoom || [-Infinity, Infinity];
  const rows = [["series", "kind", "smoothed", state.axis, "return", "low", "high"]];
  for (const one of charts.return.series) {
    if (one.faint) continue;
    for (const p of one.points) {
      if (!Number.isFinite(p.y) || p.x < from || p.x > to) continue;
      rows.push([one.label, one.dots ? "evaluation" : state.grouped ? "mean of runs" : "training",
        one.dots ? 1 : view.smoothed, p.x, p.y, p.low, p.high]);
    }
  }
  return csvOf(rows);
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
