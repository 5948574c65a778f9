// What charts draw of a run's rows. Pure: no page is needed.
"use strict";

const EPISODES = 100; // that a point of the learning curve is the mean of
// Learners measure these now and then (a gradient's norm one time in sixteen), so that a row without
// a measurement says nothing: the line runs from one measurement to the next.
const SAMPLED = ["gradient_norm", "value_mean", "entropy"];

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

// What rows of a run with several games say of one, as the rows of a run with that game alone would;
// but for `own_frames` x is that of the whole run.
function gameRows(rows, name) {
  return rows.filter((row) => row.games && row.games[name]).map((row) => {
    const game = row.games[name];
    return { ...game, frames: row.frames, seconds: row.seconds, own_frames: game.frames };
  });
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

// The row's number `name` over x, in units of `unit`. What is not finite is a gap.
function valuesOf(rows, name, xOf, unit) {
  const points = rows.map((row) => ({ x: xOf(row), y: (row[name] ?? NaN) / unit }));
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
  return bands.filter((band) => band.length > 1);
}
