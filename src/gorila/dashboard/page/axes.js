// The axes of charts: which range they show, where their ticks are and what these say. The rules are
// those of the reports' pictures, metrics/chart_axis.h, which explains them; metrics/chart_cases.json
// is the table that holds both to the same. Pure: no page is needed.
"use strict";

const TOLERANCE = 1e-9; // of a step: limits that are ticks but for rounding count
const LEAST = 1e-290; // far enough from the smallest number to divide by
const MOST_DECADES = 1e12;
const RANGE_PADDING = 0.06; // what an axis of values shows beyond the data, as a part of their range
const [TICK_SPACING_ACROSS, TICK_SPACING_UP] = [70, 45]; // pixels
const [MINUTE, HOUR, DAY] = [60, 3600, 86400];
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR,
  6 * HOUR, 12 * HOUR];

const powerOfTen = (exponent) => Number(`1e${exponent}`); // 10 ** exponent is not always exact

// Far below the largest number, so that arithmetic on axes cannot overflow.
const usable = (value) => Math.abs(value) <= 1e100;

// --- Ranges ---------------------------------------------------------------------------------------

// `data`: {low, high}, or null where nothing is known of them.
function fitRange(data, padding, log = false) {
  if (log) return fitLogarithm(data, padding);
  if (!data) return { low: 0, high: 1 };
  const { low, high } = data;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size < LEAST) return { low: -1, high: 1 };
  if (high - low < 1e-9 * size) return { low: Math.min(0, 2 * low), high: Math.max(0, 2 * high) };
  const fromZero = low >= 0 && low < 0.5 * high;
  const pad = padding * (high - (fromZero ? 0 : low));
  return { low: fromZero ? 0 : low - pad, high: high + pad };
}

function fitLogarithm(data, padding) {
  if (!data) return { low: 1, high: 10 };
  const low = Math.max(data.low, data.high / MOST_DECADES, LEAST);
  const high = Math.max(data.high, low);
  const factor = high < low * (1 + TOLERANCE) ? 2 : (high / low) ** padding;
  return { low: low / factor, high: high * factor };
}

// The range that somebody chose: as it is, where an axis can show it.
function chosenRange(low, high, log) {
  const narrow = high - low < 1e-9 * Math.max(Math.abs(low), Math.abs(high), LEAST);
  return log || narrow ? fitRange({ low, high }, 0, log) : { low, high };
}

// --- Axes: {low, high, log, unit}; the unit is "number" or "seconds" ---------------------------------

// Where a value is on an axis: 0 at its beginning, 1 at its end.
function partOf({ low, high, log }, value) {
  if (!log) return (value - low) / (high - low);
  return (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));
}

// The value there.
function valueAtPart({ low, high, log }, part) {
  return log ? low * (high / low) ** part : low + part * (high - low);
}

const mostTicksAcross = (width) => Math.max(2, Math.floor(width / TICK_SPACING_ACROSS));
const mostTicksUp = (height) => Math.max(2, Math.floor(height / TICK_SPACING_UP));

// At most `most` of {value, label}.
function axisTicks(axis, most) {
  return axis.log ? logarithmicTicks(axis, most) : linearTicks(axis, most);
}

function countTicks(low, high, step) {
  return Math.floor(high / step + TOLERANCE) - Math.ceil(low / step - TOLERANCE) + 1;
}

// The smallest of the ascending `steps` that needs at most `most` ticks; the one before it where it
// has a single one, which says nothing of a scale. Undefined when none does.
function stepAmong(steps, low, high, most) {
  let before = 0;
  for (const step of steps) {
    const count = countTicks(low, high, step);
    if (count <= most) return count >= 2 || before === 0 ? step : before;
    before = step;
  }
}

function* numberSteps(exponent) {
  for (; ; ++exponent) yield* [1, 2, 5].map((factor) => factor * powerOfTen(exponent));
}

function numberStep(low, high, most) {
  return stepAmong(numberSteps(Math.floor(Math.log10((high - low) / most))), low, high, most);
}

function timeStep(low, high, most) {
  const belowASecond = numberStep(low, high, most);
  if (belowASecond < 1) return belowASecond;
  return stepAmong(TIME_STEPS, low, high, most) ?? DAY * numberStep(low / DAY, high / DAY, most);
}

function formatOn(axis, value, step) {
  return axis.unit === "seconds" ? formatTimeTick(value, step) : formatTick(value, step);
}

function linearTicks(axis, most) {
  const { low, high } = axis;
  const step = (axis.unit === "seconds" ? timeStep : numberStep)(low, high, most);
  const first = Math.ceil(low / step - TOLERANCE);
  return Array.from({ length: Math.max(0, countTicks(low, high, step)) }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: formatOn(axis, value, step) };
  });
}

// The powers of ten or, of times, what is as round: 1 s, 10 s, 1 m, 10 m, 1 h, 10 h, 1 d, 10 d.
function milestone(index, unit) {
  if (unit !== "seconds" || index < 2) return powerOfTen(index);
  return [MINUTE, 10 * MINUTE, HOUR, 10 * HOUR][index - 2] ?? DAY * powerOfTen(index - 6);
}

// The round multiples of a milestone below the next one.
function multiplesOf(index, unit) {
  if (unit !== "seconds" || index < 1 || index > 5) return [1, 2, 5];
  if (index === 1 || index === 3) return [1, 3]; // 10 and 30 of 60
  return index === 5 ? [1] : [1, 2, 5];
}

// `apart` 0: with round multiples between the milestones; n: every nth milestone.
function milestoneTicks(axis, apart) {
  const found = [];
  for (let index = Math.floor(Math.log10(axis.low)); ; ++index) {
    const step = milestone(index, axis.unit);
    if (step > axis.high * (1 + TOLERANCE)) return found;
    if (apart > 0 && index % apart !== 0) continue;
    for (const factor of apart === 0 ? multiplesOf(index, axis.unit) : [1]) {
      const value = factor * step;
      if (value < axis.low * (1 - TOLERANCE) || value > axis.high * (1 + TOLERANCE)) continue;
      found.push({ value, label: formatOn(axis, value, step) });
    }
  }
}

function logarithmicTicks(axis, most) {
  // The steps of a linear axis crowd at the upper end of a logarithm.
  if (axis.high < 10 * axis.low) return linearTicks(axis, Math.max(2, Math.floor(most / 2)));
  for (let apart = 0; ; ++apart) {
    const found = milestoneTicks(axis, apart);
    if (found.length > most) continue;
    return found.length >= 2 ? found : linearTicks(axis, most);
  }
}

// --- Labels ----------------------------------------------------------------------------------------

const decimalsOf = (step) => Math.max(0, Math.ceil(-Math.log10(step) - TOLERANCE));
const signOf = (value) => value < 0 ? "\u2212" : "";

// Six significant digits, as C++'s "{:.6g}" writes them.
function formatSignificant(size) {
  const [digits, exponent] = size.toExponential(5).split("e");
  if (exponent >= -4 && exponent < 6) return String(Number(size.toPrecision(6)));
  return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

function formatTick(value, step) {
  const size = Math.abs(value);
  if (size < step / 2) return "0";
  if (size >= 1e12 || step < 1e-4) return signOf(value) + formatSignificant(size);
  const [unit, name] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]]
    .find(([least]) => size * (1 + TOLERANCE) >= least) || [1, ""];
  const fixed = (size / unit).toFixed(decimalsOf(step / unit));
  // "1M" between "800k" and "1.2M"
  return signOf(value) + (unit > 1 ? String(Number(fixed)) : fixed) + name;
}

function formatTimeTick(seconds, step) {
  const size = Math.abs(seconds);
  if (size < step / 2) return "0";
  if (step >= DAY) return `${signOf(seconds)}${formatTick(size / DAY, step / DAY)}d`;
  let left = size + TOLERANCE * step;
  const parts = [];
  for (const [unit, name] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [1, "s"]]) {
    const part = unit > 1 ? Math.floor(left / unit) : left;
    left -= part * unit;
    if (part < Math.min(step, 1) / 2) continue;
    parts.push(part.toFixed(unit > 1 ? 0 : decimalsOf(step)) + name);
  }
  return signOf(seconds) + parts.join(" ");
}
