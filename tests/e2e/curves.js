// node curves.js SERIES.JS < ROWS.JSON: what the dashboard's page draws of a run's rows, as JSON.
"use strict";

const fs = require("fs");
const vm = require("vm");

const context = vm.createContext({ rows: JSON.parse(fs.readFileSync(0, "utf8")) });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
console.log(vm.runInContext(`
  const points = smoothedReturns(rows).map(({ row, mean, low, high }) =>
    ({ x: row.frames, y: mean, low, high }));
  const values = (name) => valuesOf(rows, name, (row) => row.frames, 1);
  const thinned = [...rows];
  thin(thinned);
  JSON.stringify({ points, bands: bandsOf(points), norm: values("gradient_norm"),
    loss: values("loss"), entropy: values("entropy"), thinned });
`, context));
