// node chart_cases.js PAGE_FOLDER < src/gorila/metrics/chart_cases.json: what the dashboard's page makes
// of each case, as JSON.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const context = vm.createContext({ cases: JSON.parse(fs.readFileSync(0, "utf8")) });
for (const name of ["axes.js", "series.js", "charts.js"]) {
  vm.runInContext(fs.readFileSync(path.join(process.argv[2], name), "utf8"), context);
}
console.log(vm.runInContext(`
  const logarithmic = (one) => one.scale === "logarithmic";
  const number = (value) => value ?? NaN;
  const pointOf = ([x, y, low, high]) =>
    ({ x: number(x), y: number(y), low: number(low), high: number(high) });
  const listOf = (p) => [p.x, p.y, p.low ?? NaN, p.high ?? NaN];
  JSON.stringify({
    padding: RANGE_PADDING,
    room: cases.room.map(({ pixels }) => [mostTicksAcross(pixels), mostTicksUp(pixels)]),
    ranges: cases.ranges.map((one) => {
      const data = one.data && { low: one.data[0], high: one.data[1] };
      const { low, high } = fitRange(data, one.padding ?? RANGE_PADDING, logarithmic(one));
      return [low, high];
    }),
    ticks: cases.ticks.map((one) => axisTicks({ low: one.range[0], high: one.range[1],
      log: logarithmic(one), unit: one.unit ?? "number" }, one.most)),
    durations: cases.durations.map(({ seconds }) => formatSeconds(seconds)),
    bands: cases.bands.map(({ points }) =>
      bandsOf(points.map(pointOf)).map((band) => [band[0].x, band.at(-1).x])),
    means: cases.means.map(({ runs }) => meanOfRuns(runs.map((run) => run.map(pointOf)), true))
      .map((points) => ({ count: points.length, ends: points.length === 0 ? []
        : [listOf(points[0]), listOf(points.at(-1))] })),
    returns: cases.returns.map(({ batches }) => smoothedReturns(batches.map(([frames, mean, episodes]) =>
      ({ frames, return_mean: mean, return_episodes: episodes })))
      .map(({ record, mean }) => [record.frames, mean])),
  });
`, context));
