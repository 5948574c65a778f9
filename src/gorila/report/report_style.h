#ifndef GORILA_REPORT_REPORT_STYLE_H_
#define GORILA_REPORT_REPORT_STYLE_H_

#include <string_view>

namespace gorila {

// Light and dark as the reader's system says. Charts have a style of their own (chart_palette.h).
inline constexpr std::string_view kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --line: #d9dde3; --text: #1b1f2a; --quiet: #5a6270;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #14171e; --panel: #1d212b; --line: #343a47; --text: #e8eaee; --quiet: #a2a9b6; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
header p, figcaption, .note, small { color: var(--quiet); }
header p { margin: 0; }
figure { margin: 0 0 1.5rem; }
.chart { display: block; width: 100%; height: auto; border: 1px solid var(--line);
  border-radius: 6px; }
/* A chart for pages on which its texts are as large as they say, and one for narrower pages. */
.narrow { display: none; max-width: 30rem; }
.only .chart { min-width: 44rem; }
@media (max-width: 760px) { .wide { display: none; } .narrow { display: block; } }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr));
  gap: 1rem; margin-bottom: 1rem; }
.panels figure { margin: 0; max-width: 30rem; }
figcaption { font-size: .875rem; margin-top: .4rem; }
.film { display: inline-block; vertical-align: top; width: 16rem; max-width: 100%;
  margin-right: 1.25rem; }
.film img { display: block; width: 100%; image-rendering: pixelated;
  border-radius: 6px; }
.scroll { overflow-x: auto; }
.scroll + figure { margin-top: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem .45rem 0; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; }
th:first-child { text-align: left; }
tbody th { font-weight: 600; }
tbody th small { display: block; min-width: 9rem; font-weight: 400; overflow-wrap: anywhere; }
h3 small { font-weight: 400; overflow-wrap: anywhere; }
code { font-size: .875em; overflow-wrap: anywhere; }
/* Commands and values are read from their beginning. */
th:has(code), td:has(code) { text-align: left; }
td code { display: inline-block; min-width: 6rem; }
td code:only-child { white-space: pre-wrap; }
/* On a desk all of the widest table is in view. */
table:has(th:nth-child(10)) { font-size: .85rem; }
table:has(th:nth-child(10)) :is(th, td) { padding-right: .4rem; }
/* On a phone a wide table is pushed sideways: with all of it in view a row is as tall as the screen. */
.scroll table:has(th:nth-child(5)) { min-width: 38rem; }
details { margin: .75rem 0; }
summary { cursor: pointer; }
pre { background: var(--panel); border-radius: 6px; padding: .75rem 1rem; overflow-x: auto;
  font-size: .8125rem; }
@media print { details { display: none; } }
)css";

}  // namespace gorila

#endif  // GORILA_REPORT_REPORT_STYLE_H_
