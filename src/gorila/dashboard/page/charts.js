// Charts as SVG, drawn anew whenever their data change: no more than some hundred points each.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

function svgElement(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function formatNumber(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return trim(value / 1e9, 2) + "G";
  if (size >= 1e6) return trim(value / 1e6, 2) + "M";
  if (size >= 1e4) return trim(value / 1e3, 1) + "k";
  if (size >= 100 || value === 0) return trim(value, 0);
  if (size >= 1) return trim(value, 2);
  if (size >= 0.001) return trim(value, 4);
  return value.toExponential(1);
}

function trim(value, digits) {
  return String(Number(value.toFixed(digits)));
}

function formatSeconds(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  const two = (count) => String(Math.floor(count)).padStart(2, "0");
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d ${two((s % 86400) / 3600)}h`;
}

function formatBytes(bytes) {
  if (!Number.isFinite(bytes) || bytes <= 0) return "–";
  if (bytes < 2 ** 30) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

// What all line charts have in common.
const view = {
  logX: false,
  logY: false,
  zoom: null, // [from, to] of x
  evaluations: true, // are drawn
  smoothed: 1, // points that each drawn one is the mean of
  unitX: "number", // or "seconds"
  onZoom: () => {}, // somebody chose another one, or null
};

const DASHES = ["", "7 3", "2 3"]; // when colours begin anew
const MOST_READ = 12; // series whose values the pointer reads
const FEW = 6; // lines whose bands can be told apart

let chartsMade = 0;

// A value of x in words, to read rather than to label an axis with.
function formatX(x) {
  return view.unitX === "seconds" ? formatSeconds(x) : formatNumber(x);
}

// Series: {label, colour (a CSS variable), dash, points: [{x, y, low, high}], dots, faint}, x ascending.
// Points whose y is not a number are gaps. `dots`: points with error bars instead of a line with a
// band; `faint`: what others are the mean of.
class LineChart {
  constructor(container, name, formatY = formatNumber) {
    this.container = container;
    this.name = name;
    this.formatY = formatY;
    this.series = [];
    this.cursor = null;
    this.drag = null;
    this.clip = `clip-${chartsMade++}`;
    this.svg = svgElement("svg", { tabindex: "0", role: "img" });
    this.tip = element("div", { className: "tip", hidden: true });
    this.empty = element("p", { className: "empty", textContent: "nothing logged yet" });
    container.append(this.svg, this.tip, this.empty);
    const on = (name, action) => this.svg.addEventListener(name, action);
    on("pointermove", (event) => this.pointAt(event));
    on("pointerdown", (event) => this.beginDrag(event));
    on("pointerup", (event) => this.endDrag(event));
    on("pointercancel", () => this.stopDrag());
    on("pointerleave", () => this.moveCursor(null));
    on("dblclick", () => view.onZoom(null));
    on("blur", () => this.moveCursor(null));
    on("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(container);
  }

  set(series) {
    this.series = series.filter((one) => one.points.some((p) => Number.isFinite(p.y)));
    this.draw();
  }

  // Whether a point has a place; a logarithm has none for what is not above zero.
  hasPlace(p) {
    return usable(p.x) && usable(p.y) && (!view.logY || p.y > 0) && (!view.logX || p.x > 0);
  }

  // The axes, so that all that is drawn has a place.
  axes() {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    const [from, to] = view.zoom || [-Infinity, Infinity];
    for (const one of this.series) {
      for (const p of one.points) {
        if (!this.hasPlace(p) || p.x < from || p.x > to) continue;
        x0 = Math.min(x0, p.x);
        x1 = Math.max(x1, p.x);
        const banded = !one.faint && (one.dots || !this.many);
        y0 = Math.min(y0, banded && usable(p.low) && (!view.logY || p.low > 0) ? p.low : p.y, p.y);
        y1 = Math.max(y1, banded && usable(p.high) ? p.high : p.y, p.y);
      }
    }
    const known = x0 <= x1;
    return {
      x: { log: view.logX, unit: view.unitX,
        ...(view.zoom ? chosenRange(from, to, view.logX)
          : fitRange(known ? { low: x0, high: x1 } : null, 0, view.logX)) },
      y: { log: view.logY, unit: "number",
        ...fitRange(known ? { low: y0, high: y1 } : null, RANGE_PADDING, view.logY) },
    };
  }

  draw() {
    const { width, height } = this.container.getBoundingClientRect();
    if (width < 40 || height < 40) return;
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.empty.hidden = this.series.length > 0;
    this.svg.setAttribute("aria-label", this.describe());
    if (this.series.length === 0) return;
    this.many = this.series.filter((one) => !one.dots && !one.faint).length > FEW;
    const { x, y } = this.axes();
    const [top, bottom] = [6, height - 20];
    const yTicks = axisTicks(y, mostTicksUp(bottom - top));
    const widest = Math.max(...yTicks.map((tick) => tick.label.length));
    const box = { left: 16 + 7 * widest, right: width - 12, top, bottom };
    this.toX = (value) => box.left + partOf(x, value) * (box.right - box.left);
    this.toY = (value) => box.bottom - partOf(y, value) * (box.bottom - box.top);
    this.fromX = (px) => valueAtPart(x,
      Math.min(1, Math.max(0, (px - box.left) / (box.right - box.left))));
    this.box = box;
    this.drawAxes(axisTicks(x, mostTicksAcross(box.right - box.left)), yTicks, box);
    const clip = svgElement("clipPath", { id: this.clip });
    clip.append(svgElement("rect", { x: box.left - 4, y: box.top - 4,
      width: box.right - box.left + 8, height: box.bottom - box.top + 8 }));
    this.plot = svgElement("g", { "clip-path": `url(#${this.clip})` });
    this.svg.append(clip, this.plot);
    this.plot.classList.toggle("many", this.many);
    for (const one of this.series) this.drawSeries(one, x);
    this.drawNotes(box);
    this.cursorLine = svgElement("line", { class: "cursor", y1: box.top, y2: box.bottom });
    this.svg.append(this.cursorLine);
    this.moveCursor(this.cursor);
  }

  drawAxes(xTicks, yTicks, box) {
    for (const { value, label } of yTicks) {
      const y = this.toY(value);
      this.svg.append(
        svgElement("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }),
        svgElement("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, label));
    }
    for (const { value, label } of xTicks) {
      const x = this.toX(value);
      const anchor = x > box.right - 24 ? "end" : "middle";
      this.svg.append(svgElement("text", { x, y: box.bottom + 15, "text-anchor": anchor }, label));
    }
  }

  // That lines are means of points, and what a logarithm leaves out.
  drawNotes(box) {
    const notes = [];
    if (view.smoothed > 1) notes.push(`smoothed: ${view.smoothed}`);
    const left = this.series.reduce((sum, one) => sum + one.points.filter((p) =>
      usable(p.x) && usable(p.y) && !this.hasPlace(p)).length, 0);
    if (left > 0) notes.push(`${left} points without a logarithm`);
    if (notes.length === 0) return;
    this.svg.append(svgElement("text", { class: "note", x: box.right, y: box.top + 9,
      "text-anchor": "end" }, notes.join(" · ")));
  }

  drawDots(one) {
    const [from, to] = view.zoom || [-Infinity, Infinity];
    for (const p of one.points) {
      if (!this.hasPlace(p) || p.x < from || p.x > to) continue;
      const x = this.toX(p.x);
      const low = view.logY && !(p.low > 0) ? p.y : p.low;
      const bar = svgElement("line", { class: "error", x1: x, x2: x, y1: this.toY(low),
        y2: this.toY(p.high) });
      bar.style.stroke = `var(${one.colour})`;
      const dot = svgElement("circle", { class: "evaluation", cx: x, cy: this.toY(p.y),
        r: this.many ? 2 : 3.5 });
      dot.style.stroke = `var(${one.colour})`;
      this.plot.append(bar, dot);
    }
  }

  drawSeries(one, axis) {
    if (one.dots) {
      this.drawDots(one);
      return;
    }
    const placed = one.points.map((p) => this.hasPlace(p) ? p : { x: p.x, y: NaN })
      .filter((p) => !view.logX || p.x > 0);
    const points = decimated(pointsWithin(placed, axis.low, axis.high), this.toX,
      this.box.right - this.box.left);
    const at = (x, y) => `${this.toX(x).toFixed(1)},${this.toY(y).toFixed(1)}`;
    const floor = (p) => view.logY && !(p.low > 0) ? p.y : p.low;
    for (const banded of one.faint || this.many ? [] : bandsOf(points)) {
      const upper = banded.map((p) => at(p.x, p.high));
      const lower = banded.map((p) => at(p.x, floor(p))).reverse();
      const band = svgElement("path", { class: "band", d: `M${upper.concat(lower).join("L")}Z` });
      band.style.fill = `var(${one.colour})`;
      this.plot.append(band);
    }
    let path = "";
    let pen = "M";
    for (const p of points) {
      if (!Number.isFinite(p.y)) {
        pen = "M";
        continue;
      }
      path += pen + at(p.x, p.y);
      pen = "L";
    }
    const line = svgElement("path", { class: one.faint ? "line faint" : "line", d: path });
    line.style.stroke = `var(${one.colour})`;
    if (one.dash) line.style.strokeDasharray = one.dash;
    this.plot.append(line);
    const last = points.findLast((p) => Number.isFinite(p.y));
    if (one.faint || !last) return;
    const dot = svgElement("circle", { cx: this.toX(last.x), cy: this.toY(last.y), r: 3 });
    dot.style.fill = `var(${one.colour})`;
    this.plot.append(dot);
  }

  describe() {
    const read = this.series.filter((one) => !one.faint);
    const latest = read.slice(0, MOST_READ).map((one) => {
      const last = one.points.findLast((p) => Number.isFinite(p.y));
      return `${one.label}: ${this.formatY(last.y)} at ${formatX(last.x)}`;
    });
    if (read.length > MOST_READ) latest.push(`and ${read.length - MOST_READ} more`);
    return `${this.name}. ${latest.join("; ") || "Nothing logged yet"}. Arrow keys read values.`;
  }

  pixelOf(event) {
    return event.clientX - this.svg.getBoundingClientRect().left;
  }

  pointAt(event) {
    if (this.series.length === 0) return;
    if (this.drag) this.moveDrag(event);
    this.moveCursor(this.fromX(this.pixelOf(event)));
  }

  beginDrag(event) {
    this.pointAt(event);
    if (this.series.length === 0 || event.button !== 0) return;
    this.drag = { from: this.pixelOf(event),
      rect: svgElement("rect", { class: "zoom", y: this.box.top,
        height: this.box.bottom - this.box.top }) };
    this.svg.setPointerCapture(event.pointerId);
  }

  moveDrag(event) {
    const { from, rect } = this.drag;
    const clamp = (px) => Math.min(this.box.right, Math.max(this.box.left, px));
    const [a, b] = [clamp(from), clamp(this.pixelOf(event))];
    rect.setAttribute("x", Math.min(a, b));
    rect.setAttribute("width", Math.abs(b - a));
    if (!rect.isConnected || rect.parentNode !== this.svg) this.svg.append(rect);
  }

  endDrag(event) {
    const drag = this.stopDrag();
    if (!drag) return;
    const to = this.pixelOf(event);
    if (Math.abs(to - drag.from) < 8) return;
    const ends = [this.fromX(drag.from), this.fromX(to)].sort((a, b) => a - b);
    if (ends[0] < ends[1]) view.onZoom(ends);
  }

  stopDrag() {
    const drag = this.drag;
    this.drag = null;
    if (drag) drag.rect.remove();
    return drag;
  }

  key(event) {
    const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -2, End: 2 };
    if (!(event.key in steps) || this.series.length === 0) return;
    event.preventDefault();
    const { left, right } = this.box;
    const from = this.cursor === null ? right : this.toX(this.cursor);
    this.moveCursor(this.fromX(from + steps[event.key] * (right - left)));
    const values = this.tip.innerText.replace(/\s+/g, " ");
    document.getElementById("readout").textContent = `${this.name}, ${values}`;
  }

  // Shows what each series is nearest to x; null: nothing.
  moveCursor(x) {
    this.cursor = x;
    this.tip.hidden = x === null || this.series.length === 0;
    if (!this.cursorLine) return;
    this.cursorLine.style.display = this.tip.hidden ? "none" : "";
    if (this.tip.hidden) return;
    const px = this.toX(x);
    this.cursorLine.setAttribute("x1", px);
    this.cursorLine.setAttribute("x2", px);
    const read = this.series.filter((one) => !one.faint).flatMap((one) => {
      const near = one.points.reduce((best, p) =>
        this.hasPlace(p) && (!best || Math.abs(p.x - x) < Math.abs(best.x - x)) ? p : best, null);
      // Beyond a run's end there is nothing to read.
      return near && Math.abs(this.toX(near.x) - px) <= 40 ? [{ one, y: near.y }] : [];
    });
    if (read.length > MOST_READ) read.sort((a, b) => b.y - a.y);
    this.tip.replaceChildren(formatX(x), ...read.slice(0, MOST_READ).map(({ one, y }) => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.cssText = `display:inline-block;background:var(${one.colour})`;
      return element("div", {}, swatch, ` ${one.label}: ${this.formatY(y)}`);
    }), ...(read.length > MOST_READ ? [`${read.length - MOST_READ} more, with lower values`] : []));
    const toTheLeft = px > this.box.right / 2;
    this.tip.style.left = toTheLeft ? "" : `${px + 8}px`;
    this.tip.style.right = toTheLeft ? `${this.box.right + 12 - px + 8}px` : "";
  }
}

// Bars: [{label, short, value}]; the short label stands where the other has no room.
class BarChart {
  constructor(container, name) {
    this.container = container;
    this.name = name;
    this.bars = [];
    this.svg = svgElement("svg", { role: "img" });
    this.empty = element("p", { className: "empty", textContent: "no gradients yet" });
    container.append(this.svg, this.empty);
    new ResizeObserver(() => this.draw()).observe(container);
  }

  set(bars) {
    this.bars = bars;
    this.draw();
  }

  draw() {
    const { width, height } = this.container.getBoundingClientRect();
    if (width < 40 || height < 40) return;
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const sum = this.bars.reduce((total, bar) => total + bar.value, 0);
    this.empty.hidden = sum > 0;
    if (sum === 0) return;
    const part = (bar) => `${bar.label}: ${((100 * bar.value) / sum).toFixed(1)} %`;
    this.svg.setAttribute("aria-label", `${this.name}. ${this.bars.map(part).join("; ")}`);
    const most = Math.max(...this.bars.map((bar) => bar.value));
    const slot = width / this.bars.length;
    const bottom = height - 20;
    this.bars.forEach((bar, i) => {
      const size = (bar.value / most) * (bottom - 20);
      const w = Math.min(slot * 0.8, 48);
      const middle = (i + 0.5) * slot;
      const rect = svgElement("rect", { x: middle - w / 2, width: w, y: bottom - size, height: size,
        rx: 2 });
      rect.style.fill = "var(--series-0)";
      rect.append(svgElement("title", {}, part(bar)));
      this.svg.append(rect,
        svgElement("text", { x: middle, y: bottom + 15, "text-anchor": "middle" },
          slot < 48 ? bar.short : bar.label),
        svgElement("text", { x: middle, y: bottom - size - 5, "text-anchor": "middle" },
          bar.value / sum >= 0.005 ? `${((100 * bar.value) / sum).toFixed(0)}%` : ""));
    });
  }
}
