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
  return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
}

function formatBytes(bytes) {
  if (!Number.isFinite(bytes) || bytes <= 0) return "–";
  if (bytes < 2 ** 30) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

// About `count` round numbers from low to high.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  // A few more rather than a single one.
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= 0.7 * rough);
  const found = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) {
    found.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  }
  return found;
}

// Series: {label, colour (a CSS variable), points: [{x, y, low, high}], dots}. Points whose y is not
// a number are gaps. `dots`: points with error bars instead of a line with a band.
class LineChart {
  constructor(container, name, formatY = formatNumber) {
    this.container = container;
    this.name = name;
    this.formatY = formatY;
    this.formatX = formatNumber;
    this.series = [];
    this.cursor = null;
    this.svg = svgElement("svg", { tabindex: "0", role: "img" });
    this.tip = element("div", { className: "tip", hidden: true });
    this.empty = element("p", { className: "empty", textContent: "nothing logged yet" });
    container.append(this.svg, this.tip, this.empty);
    this.svg.addEventListener("pointermove", (event) => this.pointAt(event));
    this.svg.addEventListener("pointerdown", (event) => this.pointAt(event));
    this.svg.addEventListener("pointerleave", () => this.moveCursor(null));
    this.svg.addEventListener("blur", () => this.moveCursor(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(container);
  }

  set(series, formatX) {
    this.series = series.filter((one) => one.points.some((p) => Number.isFinite(p.y)));
    this.formatX = formatX;
    this.draw();
  }

  // Where the data lie; a little room above, and zero where it is near.
  extent() {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const one of this.series) {
      for (const p of one.points) {
        if (!Number.isFinite(p.y)) continue;
        x0 = Math.min(x0, p.x);
        x1 = Math.max(x1, p.x);
        y0 = Math.min(y0, p.y, Number.isFinite(p.low) ? p.low : Infinity);
        y1 = Math.max(y1, p.y, Number.isFinite(p.high) ? p.high : -Infinity);
      }
    }
    if (y0 > 0 && y0 < 0.6 * y1) y0 = 0;
    if (x1 <= x0) x1 = x0 + 1;
    if (y1 <= y0) [y0, y1] = [Math.min(0, 1.5 * y0), Math.max(0, 1.5 * y1) || 1];
    return { x0, x1, y0, y1: y1 + 0.05 * (y1 - y0) };
  }

  draw() {
    const { width, height } = this.container.getBoundingClientRect();
    if (width < 40 || height < 40) return;
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.empty.hidden = this.series.length > 0;
    this.svg.setAttribute("aria-label", this.describe());
    if (this.series.length === 0) return;
    const e = this.extent();
    const widest = Math.max(...ticks(e.y0, e.y1, 4).map((t) => this.formatY(t).length));
    const box = { left: 16 + 7 * widest, right: width - 12, top: 6, bottom: height - 20 };
    this.toX = (x) => box.left + ((x - e.x0) / (e.x1 - e.x0)) * (box.right - box.left);
    this.toY = (y) => box.bottom - ((y - e.y0) / (e.y1 - e.y0)) * (box.bottom - box.top);
    this.box = box;
    this.drawAxes(e, box);
    for (const one of this.series) this.drawSeries(one);
    this.cursorLine = svgElement("line", { class: "cursor", y1: box.top, y2: box.bottom });
    this.svg.append(this.cursorLine);
    this.moveCursor(this.cursor);
  }

  drawAxes(e, box) {
    for (const t of ticks(e.y0, e.y1, (box.bottom - box.top) / 32)) {
      const y = this.toY(t);
      this.svg.append(
        svgElement("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }),
        svgElement("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, this.formatY(t)));
    }
    for (const t of ticks(e.x0, e.x1, (box.right - box.left) / 80)) {
      const anchor = this.toX(t) > box.right - 24 ? "end" : "middle";
      this.svg.append(svgElement("text", { x: this.toX(t), y: box.bottom + 15,
        "text-anchor": anchor }, this.formatX(t)));
    }
  }

  drawDots(one) {
    for (const p of one.points) {
      if (!Number.isFinite(p.y)) continue;
      const x = this.toX(p.x);
      const bar = svgElement("line", { class: "error", x1: x, x2: x, y1: this.toY(p.low),
        y2: this.toY(p.high) });
      bar.style.stroke = `var(${one.colour})`;
      const dot = svgElement("circle", { class: "evaluation", cx: x, cy: this.toY(p.y), r: 3.5 });
      dot.style.stroke = `var(${one.colour})`;
      this.svg.append(bar, dot);
    }
  }

  drawSeries(one) {
    if (one.dots) {
      this.drawDots(one);
      return;
    }
    const at = (x, y) => `${this.toX(x).toFixed(1)},${this.toY(y).toFixed(1)}`;
    for (const banded of bandsOf(one.points)) {
      const upper = banded.map((p) => at(p.x, p.high));
      const lower = banded.map((p) => at(p.x, p.low)).reverse();
      const band = svgElement("path", { class: "band", d: `M${upper.concat(lower).join("L")}Z` });
      band.style.fill = `var(${one.colour})`;
      this.svg.append(band);
    }
    let path = "";
    let pen = "M";
    for (const p of one.points) {
      if (!Number.isFinite(p.y)) {
        pen = "M";
        continue;
      }
      path += pen + at(p.x, p.y);
      pen = "L";
    }
    const line = svgElement("path", { class: "line", d: path });
    line.style.stroke = `var(${one.colour})`;
    this.svg.append(line);
    const last = one.points.findLast((p) => Number.isFinite(p.y));
    const dot = svgElement("circle", { cx: this.toX(last.x), cy: this.toY(last.y), r: 3 });
    dot.style.fill = `var(${one.colour})`;
    this.svg.append(dot);
  }

  describe() {
    const latest = this.series.map((one) => {
      const last = one.points.findLast((p) => Number.isFinite(p.y));
      return `${one.label}: ${this.formatY(last.y)} at ${this.formatX(last.x)}`;
    });
    return `${this.name}. ${latest.join("; ") || "Nothing logged yet"}. Arrow keys read values.`;
  }

  pointAt(event) {
    if (this.series.length === 0) return;
    const { left } = this.svg.getBoundingClientRect();
    const e = this.extent();
    const part = (event.clientX - left - this.box.left) / (this.box.right - this.box.left);
    this.moveCursor(e.x0 + Math.min(1, Math.max(0, part)) * (e.x1 - e.x0));
  }

  key(event) {
    const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -2, End: 2 };
    if (!(event.key in steps) || this.series.length === 0) return;
    event.preventDefault();
    const e = this.extent();
    const from = this.cursor === null ? e.x1 : this.cursor;
    this.moveCursor(Math.min(e.x1, Math.max(e.x0, from + steps[event.key] * (e.x1 - e.x0))));
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
    this.tip.replaceChildren(this.formatX(x));
    for (const one of this.series) {
      const near = one.points.reduce((best, p) =>
        Number.isFinite(p.y) && (!best || Math.abs(p.x - x) < Math.abs(best.x - x)) ? p : best,
        null);
      // Beyond a run's end there is nothing to read.
      if (Math.abs(this.toX(near.x) - px) > 40) continue;
      const swatch = element("span", { className: "swatch" });
      swatch.style.cssText = `display:inline-block;background:var(${one.colour})`;
      this.tip.append(element("div", {}, swatch, ` ${one.label}: ${this.formatY(near.y)}`));
    }
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
