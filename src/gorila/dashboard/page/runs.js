// The table of runs: search, order, selection, and how the selected ones differ.
"use strict";

const MOST_LISTED = 1000; // rows of the table
const MOST_COMPARED = 40; // columns of the settings' differences

const table = {
  search: "",
  order: "written", // a column's name
  descending: true,
  cursor: -1, // index of the run that keys act on; -1: none
  listed: [], // the runs that match, in order
  rows: new Map(), // by the run: its <tr>
};

// --- Columns --------------------------------------------------------------------------------------

// What its evaluations say of a run: the final one, or the last one so far.
function scoreOf(run) {
  return run.evaluation || run.evaluated || {};
}

function formatScore(run) {
  const { mean, standard_error: error } = scoreOf(run);
  if (!Number.isFinite(mean)) return "–";
  return formatNumber(mean) + (Number.isFinite(error) ? ` ± ${formatNumber(error)}` : "");
}

function scoreTitle(run) {
  if (run.evaluation) return `final evaluation, ${run.evaluation.protocol}, ${run.evaluation.episodes} episodes`;
  return Number.isFinite(scoreOf(run).frames) ? `evaluated at ${formatNumber(scoreOf(run).frames)} frames` : "";
}

// "3 min ago", of seconds since 1970.
function formatAge(written) {
  const seconds = Math.max(0, Date.now() / 1000 - written);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

const stateOf = (run) => (run.gone ? "gone" : run.state);

const COLUMNS = [
  { name: "run", title: "Run", key: (run) => run.label, text: (run) => run.label },
  { name: "game", title: "Game", key: titleOf, text: titleOf },
  { name: "settings", title: "Settings that differ", key: (run) => run.differences,
    text: (run) => run.differences },
  { name: "frames", title: "Frames", number: true, key: (run) => run.frames ?? NaN,
    text: (run) => formatNumber(run.frames ?? NaN) },
  { name: "state", title: "State", key: stateOf, text: stateOf },
  { name: "return", title: "Return", number: true, key: (run) => run.return ?? NaN,
    text: (run) => formatNumber(run.return ?? NaN) },
  { name: "evaluation", title: "Evaluation", number: true, key: (run) => scoreOf(run).mean ?? NaN,
    text: formatScore },
  { name: "written", title: "Written", number: true, key: (run) => run.written,
    text: (run) => formatAge(run.written) },
];

// --- Search ---------------------------------------------------------------------------------------

// A setting's or field's value as somebody would type it: without quotes.
function fieldOf(run, name) {
  const fields = { game: titleOf(run), state: stateOf(run), seed: run.seed, run: run.label,
    frames: run.frames, return: run.return, evaluation: scoreOf(run).mean };
  if (name in fields) return fields[name];
  const key = name in run.config ? name
    : Object.keys(run.config).find((one) => one.endsWith(`.${name}`));
  return key === undefined ? undefined : run.config[key].replace(/^"(.*)"$/, "$1");
}

// One word of a search: key=value, key>number, key<number, or a part of a name.
function matches(run, word) {
  const [, key, sign, wanted] = /^([\w.]+)(=|<|>)(.*)$/.exec(word) || [];
  if (key) {
    const value = fieldOf(run, key);
    if (value === undefined || value === null) return false;
    if (sign === "<") return Number(value) < Number(wanted);
    if (sign === ">") return Number(value) > Number(wanted);
    const number = wanted !== "" && Number.isFinite(Number(wanted)) && Number(value) === Number(wanted);
    return number || String(value).toLowerCase() === wanted || (key === "game" || key === "run") &&
      String(value).toLowerCase().includes(wanted);
  }
  return run.searched.includes(word);
}

// All that a word without a key may be a part of.
function searchedText(run) {
  return [run.label, run.directory, run.environment, titleOf(run), run.differences, run.title || "",
    ...(run.tags || []), run.note || ""].join("\n").toLowerCase();
}

function compareRuns(column) {
  const sign = table.descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [column.key(a), column.key(b)];
    if (!column.number) return sign * x.localeCompare(y, "en", { numeric: true }) || a.index - b.index;
    if (Number.isFinite(x) !== Number.isFinite(y)) return Number.isFinite(x) ? -1 : 1;
    return sign * (x - y) || a.index - b.index;
  };
}

// The runs that match, in the chosen order; grouped: repetitions together.
function listRuns() {
  const words = table.search.toLowerCase().split(/\s+/).filter(Boolean);
  const column = COLUMNS.find((one) => one.name === table.order) || COLUMNS[0];
  const found = state.runs.filter((run) => words.every((word) => matches(run, word)))
    .sort(compareRuns(column));
  return state.grouped ? [...byLabel(found, (run) => run.group).values()].flat() : found;
}

// --- The table ------------------------------------------------------------------------------------

function makeRow(run) {
  const box = element("input", { type: "checkbox" });
  box.setAttribute("aria-label", `select ${run.label}`);
  box.addEventListener("change", () => chooseRuns([run], box.checked));
  const row = element("tr", {}, element("td", { className: "pick" }, box));
  for (const column of COLUMNS) {
    const cell = element("td", { className: `col-${column.name}${column.number ? " number" : ""}` });
    if (column.name === "run") {
      const button = element("button", { type: "button", className: "plain" });
      button.addEventListener("click", () => showDetails(run));
      cell.append(element("i", { className: "swatch" }), button,
        element("span", { className: "sub quiet" }));
    }
    row.append(cell);
  }
  return row;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fillRow(row, run) {
  const [pick, ...cells] = row.children;
  pick.firstChild.checked = run.selected;
  row.classList.toggle("cursor", run.index === table.cursor);
  row.classList.toggle("focus", run.index === state.focus);
  row.classList.toggle("gone", Boolean(run.gone));
  COLUMNS.forEach((column, i) => {
    if (column.name !== "run") {
      setText(cells[i], column.text(run));
      return;
    }
    const [swatch, button, sub] = cells[i].children;
    swatch.style.background = run.selected ? `var(${lookOf(run).colour})` : "transparent";
    setText(button, run.label);
    button.title = run.directory;
    setText(sub, [titleOf(run), run.differences, `${formatNumber(run.frames ?? NaN)} frames`,
      stateOf(run)].filter(Boolean).join(" · "));
  });
  const [settings, score] = ["settings", "evaluation"].map((name) =>
    cells[COLUMNS.findIndex((column) => column.name === name)]);
  settings.title = run.differences;
  score.title = scoreTitle(run);
}

function meanText(values) {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return "–";
  return formatNumber(known.reduce((sum, v) => sum + v, 0) / known.length);
}

// A line above the repetitions that it is of.
function groupRow(runs) {
  const box = element("input", { type: "checkbox", checked: runs.every((run) => run.selected) });
  const name = `${titleOf(runs[0])}${runs[0].differences ? ` · ${runs[0].differences}` : ""}`;
  box.setAttribute("aria-label", `select group ${name}`);
  box.addEventListener("change", () => chooseRuns(runs, box.checked));
  const numbers = runs.length === 1 ? "1 run" : `${runs.length} runs`;
  const cell = element("td", { colSpan: COLUMNS.length });
  const swatch = element("i", { className: "swatch" });
  swatch.style.background = runs.some((run) => run.selected) ? `var(${lookOf(runs[0]).colour})`
    : "transparent";
  cell.append(swatch, element("b", { textContent: name }), ` ${numbers} · mean return ` +
    `${meanText(runs.map((run) => run.return ?? NaN))} · mean evaluation ` +
    meanText(runs.map((run) => scoreOf(run).mean ?? NaN)));
  return element("tr", { className: "group" }, element("td", { className: "pick" }, box), cell);
}

// Only rows that are not in their place are moved, so that a focused control keeps the focus.
function placeRows(body, rows) {
  rows.forEach((row, i) => {
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] || null);
  });
  while (body.children.length > rows.length) body.lastChild.remove();
}

function drawTable() {
  assignGroupSlots();
  table.listed = listRuns();
  const shown = table.listed.slice(0, MOST_LISTED);
  let group = null;
  const rows = shown.flatMap((run) => {
    if (!table.rows.has(run)) table.rows.set(run, makeRow(run));
    const row = table.rows.get(run);
    fillRow(row, run);
    if (!state.grouped || run.group === group) return [row];
    group = run.group;
    return [groupRow(shown.filter((one) => one.group === group)), row];
  });
  placeRows(byId("runs-body"), rows);
  for (const head of byId("runs-head").querySelectorAll("th[data-column]")) {
    const ordered = head.dataset.column === table.order;
    head.setAttribute("aria-sort", !ordered ? "none" : table.descending ? "descending" : "ascending");
  }
  drawTableNotes();
  drawDifferences();
}

function drawTableNotes() {
  const [all, listed] = [state.runs.length, table.listed.length];
  const selected = selectedRuns().length;
  const parts = [listed === all ? `${all} runs` : `${listed} of ${all} runs`, `${selected} selected`];
  if (listed > MOST_LISTED) parts.push(`the first ${MOST_LISTED} are listed; a search narrows them`);
  if (!state.searched) parts.push("searching");
  byId("runs-count").textContent = parts.join(" · ");
  const waiting = state.runs.length === 0 && state.searched
    ? [`waiting for a run in ${state.folders.join(", ")}: it appears here once it begins`] : [];
  byId("runs-notes").replaceChildren(...[...waiting, ...state.notes].map((text) =>
    element("li", { textContent: text })));
  byId("runs-none").hidden = all === 0 || listed > 0;
  const all_selected = listed > 0 && table.listed.every((run) => run.selected);
  byId("select-all").checked = all_selected;
}

// --- How the selected ones differ -------------------------------------------------------------------

function drawDifferences() {
  const selected = selectedRuns();
  const runs = selected.slice(0, MOST_COMPARED);
  const keys = differingKeys(runs);
  byId("differences").hidden = selected.length < 2;
  byId("differences-title").textContent = `Settings that differ between the selected runs ` +
    `(${keys.length})`;
  byId("differences-note").textContent = selected.length > runs.length
    ? `the first ${runs.length} of ${selected.length} selected runs` : "";
  if (!byId("differences-details").open) return; // it costs nothing while it is closed
  byId("differences-head").replaceChildren(element("th", { textContent: "setting" }),
    ...runs.map((run) => element("th", { scope: "col", textContent: run.label })));
  byId("differences-body").replaceChildren(...keys.map((key) => element("tr", {},
    element("th", { scope: "row", textContent: key }),
    ...runs.map((run) => element("td", { textContent: run.config[key] })))));
}

// --- As text -----------------------------------------------------------------------------------------

function tableCsv() {
  const keys = differingKeys(table.listed);
  const rows = [["run", "directory", "game", "state", "frames", "updates", "seconds", "return",
    "evaluation", "standard_error", "protocol", "written", ...keys]];
  for (const run of table.listed) {
    const score = scoreOf(run);
    rows.push([run.label, run.directory, titleOf(run), stateOf(run), run.frames, run.updates,
      run.seconds, run.return, score.mean, score.standard_error, score.protocol,
      new Date(1000 * run.written).toISOString(), ...keys.map((key) => run.config[key])]);
  }
  return csvOf(rows);
}

// --- Keys and controls ---------------------------------------------------------------------------------

function moveCursor(step) {
  if (table.listed.length === 0) return;
  const at = table.listed.findIndex((run) => run.index === table.cursor);
  const next = at < 0 ? 0 : Math.min(table.listed.length - 1, Math.max(0, at + step));
  table.cursor = table.listed[next].index;
  drawTable();
  const row = table.rows.get(table.listed[next]);
  if (row) row.scrollIntoView({ block: "nearest" });
  byId("readout").textContent = COLUMNS.map((column) => column.text(table.listed[next])).join(", ");
}

const KEYS = {
  "/": () => byId("search").focus(),
  j: () => moveCursor(1),
  k: () => moveCursor(-1),
  x: () => {
    const run = state.runs[table.cursor];
    if (run) chooseRuns([run], !run.selected);
  },
  Enter: () => {
    if (state.runs[table.cursor]) showDetails(state.runs[table.cursor]);
  },
  a: () => chooseRuns(table.listed, true),
  n: () => chooseRuns(state.runs, false),
  g: () => byId("grouped").click(),
  0: () => view.onZoom(null),
  "?": () => byId("help").showModal(),
};

function pressKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId("help").open) return;
  if (event.key === "Escape" && event.target === byId("search")) {
    byId("search").value = "";
    byId("search").blur();
    search("");
    return;
  }
  if (event.target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea")) return;
  if (event.key === "Enter" && event.target.closest("button, a, summary, input")) return;
  const act = KEYS[event.key];
  if (!act || (byId("runs").hidden && event.key !== "0" && event.key !== "?")) return;
  event.preventDefault();
  act();
}

function search(text) {
  table.search = text;
  drawTable();
  rememberAddress();
}

function orderBy(name) {
  const column = COLUMNS.find((one) => one.name === name);
  table.descending = table.order === name ? !table.descending : Boolean(column.number);
  table.order = name;
  drawTable();
  rememberAddress();
}

function setUpTable() {
  byId("runs-head").append(...COLUMNS.map((column) => {
    const button = element("button", { type: "button", className: "plain", textContent: column.title });
    button.addEventListener("click", () => orderBy(column.name));
    const head = element("th", { scope: "col",
      className: `col-${column.name}${column.number ? " number" : ""}` }, button);
    head.dataset.column = column.name;
    return head;
  }));
  byId("select-all").addEventListener("change", () =>
    chooseRuns(table.listed, byId("select-all").checked));
  byId("search").addEventListener("input", () => search(byId("search").value));
  byId("runs-csv").addEventListener("click", () => download("runs.csv", tableCsv()));
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("differences-details").addEventListener("toggle", drawDifferences);
  document.addEventListener("keydown", pressKey);
}
