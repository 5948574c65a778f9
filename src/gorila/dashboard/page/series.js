// What charts draw of a run's records. Means, intervals and gaps are those of the reports' pictures
// (metrics/curve_aggregation.h, metrics/curve_shapes.h), as metrics/chart_cases.json checks. Pure: no
// page is needed.
"use strict";

const EPISODES = 100; // that a point of the learning curve is the mean of
// Learners measure these now and then (a gradient's norm one time in sixteen), so that a record without
// a measurement says nothing: the line runs from one measurement to the next.
const SAMPLED = ["gradient_norm", "value_mean", "entropy", "policy_loss", "baseline_loss"];

// In place. Of more than `most` records neighbours are merged until three quarters are left, those that stand
// for the fewest first: the run stays about equally dense, its newest part denser, and its means are those of
// all episodes. The newest four stay as they are. The server does the same (record_history.cc,
// merged_record.cc), so records may already be merged when they arrive.
function thin(records, most) {
  if (records.length <= most) return;
  const older = records.splice(0, records.length - 4);
  const target = Math.min(older.length, most) * 3 / 4;
  let groups = [];
  for (let limit = 2; limit === 2 || groups.length > target; limit *= 2) {
    groups = neighbours(older, limit);
  }
  records.unshift(...groups.map((group) => group.reduce(merged)));
}

// In groups that stand for at most `limit` records of the log.
function neighbours(records, limit) {
  const groups = [];
  let count = Infinity;
  for (const record of records) {
    const own = record.merged || 1;
    if (count + own > limit) {
      groups.push([]);
      count = 0;
    }
    groups.at(-1).push(record);
    count += own;
  }
  return groups;
}

// Evaluations are not merged: the later one stands for both.
function merged(before, later) {
  const both = { ...later, merged: (before.merged || 1) + (later.merged || 1) };
  if (later.kind !== "training") return both;
  Object.assign(both, mergedEpisodes(before, later));
  for (const name of SAMPLED) both[name] = later[name] ?? before[name];
  if (later.games && before.games) {
    both.games = Object.fromEntries(Object.entries(later.games).map(([name, game]) =>
      [name, before.games[name] ? { ...game, ...mergedEpisodes(before.games[name], game) } : game]));
  }
  return both;
}

// What a record of the episodes of both says of them.
function mergedEpisodes(before, later) {
  const [n1, n2] = [before.return_episodes || 0, later.return_episodes || 0];
  if (n1 === 0) return {};
  if (n2 === 0) {
    return { return_episodes: n1, return_mean: before.return_mean, length_mean: before.length_mean,
      return_standard_deviation: before.return_standard_deviation };
  }
  const n = n1 + n2;
  const mean = (name) => (n1 * before[name] + n2 * later[name]) / n;
  const squares = (record, count) =>
    count === 1 ? 0 : (record.return_standard_deviation ?? NaN) ** 2 * (count - 1);
  const between = (later.return_mean - before.return_mean) ** 2 * n1 * n2 / n;
  return { return_episodes: n, return_mean: mean("return_mean"), length_mean: mean("length_mean"),
    return_standard_deviation: Math.sqrt((squares(before, n1) + squares(later, n2) + between) / (n - 1)) };
}

// What records of a run with several games say of one, as the records of a run with that game alone would;
// but for `own_frames` x is that of the whole run.
function gameRecords(records, name) {
  return records.filter((record) => record.games && record.games[name]).map((record) => {
    const game = record.games[name];
    return { ...game, frames: record.frames, updates: record.updates, seconds: record.seconds,
      own_frames: game.frames };
  });
}

// The mean return of the last EPISODES episodes up to each record, and the 95 % confidence interval of
// that mean over the same episodes, where the log has their deviation.
function smoothedReturns(records) {
  const ended = records.filter((record) => record.return_episodes > 0);
  return ended.map((record, i) => {
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
    return { record, mean, ...intervalOf(batches, count, mean) };
  });
}

function intervalOf(batches, count, mean) {
  if (count < 2) return {};
  let squares = 0;
  for (const [taken, record] of batches) {
    const deviation = record.return_episodes === 1 ? 0 : record.return_standard_deviation;
    if (!Number.isFinite(deviation)) return {};
    const spread = deviation ** 2 * (1 - 1 / record.return_episodes);
    squares += taken * (spread + (record.return_mean - mean) ** 2);
  }
  const half = 1.96 * Math.sqrt(squares / (count - 1) / count);
  return { low: mean - half, high: mean + half };
}

// The record's number `name` over x, in units of `unit`. What is not finite is a gap.
function valuesOf(records, name, xOf, unit) {
  const points = records.map((record) => ({ x: xOf(record), y: (record[name] ?? NaN) / unit }));
  return SAMPLED.includes(name) ? points.filter((p) => Number.isFinite(p.y)) : points;
}

// Neighbours that have an interval, so that a band has gaps where its line has none to show.
function bandsOf(points) {
  const bands = [];
  let open = false;
  for (const p of points) {
    const banded = Number.isFinite(p.low) && Number.isFinite(p.high);
    if (banded && !open) bands.push([]);
    if (banded) bands.at(-1).push(p);
    open = banded;
  }
  return bands;
}

// --- Of curves, each a list of points {x, y, low, high} ---------------------------------------------

// The mean of each point's y and of those of the `count` - 1 before it that are numbers. What is not
// a number stays a gap; intervals, which are of the points, go.
function movingMean(points, count) {
  const before = [];
  let sum = 0;
  return points.map(({ x, y }) => {
    if (!Number.isFinite(y)) return { x, y };
    before.push(y);
    sum += y;
    if (before.length > count) sum -= before.shift();
    return { x, y: sum / before.length };
  });
}

// The curve at x, between its points; NaN outside of it.
function valueAt(points, x) {
  let [low, high] = [0, points.length - 1];
  if (high < 0 || x < points[0].x || x > points[high].x) return NaN;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle].x <= x) low = middle;
    else high = middle;
  }
  const [a, b] = [points[low], points[high]];
  return b.x === a.x ? b.y : a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y);
}

const GRID = 200; // points of a mean over runs
const RESAMPLES = 300; // fewer than a report has: bands are drawn anew with every record

// Uniform in [0, 1) and the same each time, so that a band does not tremble (mulberry32).
function randomStream(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Which ranks each resample of the bootstrap draws.
function resamples(count) {
  const random = randomStream(1);
  return Array.from({ length: RESAMPLES }, () =>
    Array.from({ length: count }, () => Math.floor(random() * count)));
}

// The mean over runs where all of them have a value and, where it is asked for, its 95 %
// percentile-bootstrap interval over runs; of one run no interval.
function meanOfRuns(curves, withInterval) {
  const known = curves.map((points) => points.filter((p) => Number.isFinite(p.y)));
  if (known.length === 0 || known.some((points) => points.length === 0)) return [];
  const from = Math.max(...known.map((points) => points[0].x));
  const to = Math.min(...known.map((points) => points.at(-1).x));
  if (!(from <= to)) return [];
  const draws = withInterval && known.length > 1 ? resamples(known.length) : [];
  return Array.from({ length: from === to ? 1 : GRID }, (_, i) => {
    const x = from + ((to - from) * i) / (GRID - 1);
    const values = known.map((points) => valueAt(points, x));
    const y = values.reduce((sum, v) => sum + v, 0) / values.length;
    return draws.length === 0 ? { x, y } : { x, y, ...bootstrapInterval(values, draws) };
  });
}

// Sorted, so that the order of runs does not count.
function bootstrapInterval(values, draws) {
  const sorted = Float64Array.from(values).sort();
  const means = new Float64Array(draws.length);
  draws.forEach((draw, i) => {
    let sum = 0;
    for (const rank of draw) sum += sorted[rank];
    means[i] = sum / draw.length;
  });
  means.sort();
  return { low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

// Linear between neighbours.
function quantile(sorted, fraction) {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

// The points between x0 and x1, and the next one on each side, so that lines reach the edges.
function pointsWithin(points, x0, x1) {
  let first = points.findIndex((p) => p.x >= x0);
  if (first < 0) return [];
  let end = points.findIndex((p) => p.x > x1);
  if (end < 0) end = points.length;
  first = Math.max(0, first - 1);
  return points.slice(first, end + 1);
}

// Of many points for each pixel the first, lowest, highest and last. `toPixel`: of an x, ascending.
function decimated(points, toPixel, pixels) {
  if (points.length <= 4 * pixels) return points;
  const kept = [];
  for (let i = 0; i < points.length;) {
    const pixel = Math.floor(toPixel(points[i].x));
    let [end, low, high] = [i, i, i];
    for (; end < points.length && Math.floor(toPixel(points[end].x)) === pixel; ++end) {
      if (!(points[end].y >= points[low].y)) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    for (const j of [...new Set([i, low, high, end - 1])].sort((a, b) => a - b)) {
      kept.push(points[j]);
    }
    i = end;
  }
  return kept;
}

// Evaluations are logged without the time, the last ones without the updates: as the training records
// around them have it.
function placed(evaluations, records, name) {
  if (name === "frames") return evaluations;
  const known = records.filter((record) => Number.isFinite(record[name]));
  const points = known.map((record) => ({ x: record.frames, y: record[name] }));
  return evaluations.map((record) => {
    if (Number.isFinite(record[name]) || points.length === 0) return record;
    const frames = Math.min(points.at(-1).x, Math.max(points[0].x, record.frames));
    return { ...record, [name]: valueAt(points, frames) };
  });
}
