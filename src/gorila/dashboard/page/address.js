// What the page shows, kept in its address, so that a link or a reload shows the same.
"use strict";

// Short, and the same wherever the server runs next: of the run's label and folder (cyrb53).
function idOf(run) {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const char of `${run.label}\n${run.directory}`) {
    const code = char.codePointAt(0);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}

// `selected`: ids of runs, each in the place of its colour, some places empty; null: the address does
// not say.
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  const zoom = (said.get("zoom") || "").split(",").map(Number);
  const smoothed = Number(said.get("smooth"));
  return {
    search: said.get("q") || "",
    order: COLUMNS.some((column) => column.name === said.get("order")) ? said.get("order") : "written",
    descending: said.get("up") === null,
    grouped: said.get("group") !== null,
    axis: AXES.includes(said.get("x")) ? said.get("x") : "frames",
    logX: said.get("logx") !== null,
    logY: said.get("logy") !== null,
    evaluations: said.get("points") === null,
    smoothed: SMOOTHINGS.includes(smoothed) ? smoothed : 1,
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null,
    focus: said.get("run"),
    selected: said.get("runs") === null ? null : said.get("runs").split("."),
  };
}

// Only what differs from how the page begins.
function writtenAddress() {
  const said = new URLSearchParams();
  const say = (name, value, condition = true) => {
    if (condition) said.set(name, value);
  };
  say("q", table.search, table.search !== "");
  say("order", table.order, table.order !== "written");
  say("up", "", !table.descending);
  say("group", "", state.grouped);
  say("x", state.axis, state.axis !== "frames");
  say("logx", "", view.logX);
  say("logy", "", view.logY);
  say("points", "0", !view.evaluations);
  say("smooth", view.smoothed, view.smoothed > 1);
  say("zoom", (view.zoom || []).map((x) => Number(x.toPrecision(8))).join(","), view.zoom !== null);
  if (!byId("runs").hidden && state.runs.length > 0) {
    say("run", idOf(state.runs[state.focus]));
    const places = [];
    for (const run of selectedRuns()) {
      if (places[run.slot] === undefined) places[run.slot] = idOf(run);
      else places.push(idOf(run)); // it has its namesake's colour
    }
    say("runs", Array.from(places, (id) => id || "").join("."));
  }
  return said.toString();
}

let addressTimer = null;
let written = location.hash.slice(1);

// Browsers refuse an address that changes hundreds of times.
function rememberAddress() {
  if (addressTimer !== null) return;
  addressTimer = setTimeout(() => {
    addressTimer = null;
    written = writtenAddress();
    history.replaceState(null, "", `${location.pathname}${location.search}#${written}`);
  }, 300);
}

// Calls `apply` when somebody else changes the address.
function followAddress(apply) {
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) !== written) apply();
  });
}
