// node curves.js SERIES.JS < ROWS.JSON: what the dashboard's page draws of a run's rows, as JSON.
"use strict";

const fs = require("fs");
const vm = require("vm");

const context = vm.createContext({ rows: JSON.parse(fs.readFileSync(0, "utf8")) });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
console.log(vm.runInContext(`
  const points = smoothedReturns(rows).map(({ record, mean, low, high }) =>
    ({ x: record.frames, y: mean, low, high }));
  const values = (name) => valuesOf(rows, name, (row) => row.frames, 1);
  const thinned = [...rows];
  thin(thinned, 16);
  const simple = rows.map((row) => ({ x: row.frames, y: row.return_mean ?? NaN }));
  const shifted = simple.map(({ x, y }) => ({ x, y: y + 2 }));
  const within = { moving: movingMean(simple, 5), mean: meanOfRuns([simple, shifted], true),
    alone: meanOfRuns([simple], true), short: meanOfRuns([simple, simple.slice(0, 3)], false),
    empty: meanOfRuns([simple, []], false), decimated: decimated(simple, (x) => x / 100, 3),
    part: pointsWithin(simple, 25, 45),
    timed: placed([{ frames: 25 }, { frames: 1e9 }], rows.map((row) =>
      ({ frames: row.frames, seconds: 2 * row.frames })), "seconds") };
  JSON.stringify({ ...within, points, bands: bandsOf(points), norm: values("gradient_norm"),
    loss: values("loss"), entropy: values("entropy"), thinned });
`, context));
