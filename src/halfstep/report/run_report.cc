#include "halfstep/report/run_report.h"

#include "halfstep/core/version.h"
#include "halfstep/report/run_sections.h"
#include "halfstep/report/svg_chart.h"

namespace halfstep::report {
namespace {

constexpr std::string_view kStyle = R"(
:root { --paper: #fff; --ink: #1d2126; --quiet: #5c646e; --line: #d9dce0; --panel: #f5f6f8;
  --notice: #fff4d6; --notice-ink: #5c4300; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171b; --ink: #e4e7eb; --quiet: #9ba4ae; --line: #333a42; --panel: #1d2126;
    --notice: #3a2f12; --notice-ink: #f3d98b; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 2.5rem) 3rem; max-width: 84rem;
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 0.5rem; }
p { margin: 0.5rem 0; max-width: 50rem; overflow-wrap: anywhere; text-wrap: pretty; }
.quiet, footer { color: var(--quiet); font-size: 0.875rem; }
footer { margin-top: 3rem; }
.notice { background: var(--notice); color: var(--notice-ink); padding: 0.5rem 0.8rem;
  border-radius: 6px; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.75rem 2.25rem; margin: 1rem 0 0; }
.tiles div { display: flex; flex-direction: column-reverse; }
.tiles dt { color: var(--quiet); font-size: 0.875rem; }
.tiles dd { margin: 0; font-size: 1.35rem; line-height: 1.3; }
figure { margin: 0; }
figcaption { margin-bottom: 0.35rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-top: 1rem; }
.pictures figure { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
.rows { display: grid; gap: 3px; margin: 1rem 0; overflow-x: auto; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1rem; }
.row > div { width: 9rem; }
.zoom { display: block; position: relative; cursor: zoom-in; }
.zoom input { position: absolute; opacity: 0; }
.zoom img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; }
.zoom input:focus-visible + img { outline: 3px solid var(--c0); outline-offset: 2px; }
.zoom input:checked + img { position: fixed; z-index: 1; inset: 0; width: 100vw; height: 100vh;
  max-width: none; padding: 1rem; object-fit: contain; background: var(--paper); cursor: zoom-out; }
.charts { display: grid; gap: 2rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
.charts figcaption { font-weight: 600; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; padding: 0;
  margin: 0.75rem 0; }
.narrow { display: none; }
@media (max-width: 38rem) {
  .wide { display: none; }
  .narrow { display: block; }
  .pictures figure, .pictures img { width: 100%; }
  .row > div { width: 100%; }
}
.scroll { overflow-x: auto; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.3rem 1.1rem 0.3rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; }
.number { text-align: right; white-space: nowrap; }
.total td { font-weight: 600; border-bottom: none; }
code, pre { font: 0.85rem/1.5 ui-monospace, monospace; }
td:first-child { white-space: nowrap; }
td:last-child:not(.number) { min-width: 14rem; }
td code:has(wbr) { white-space: normal; display: inline-block; min-width: 9rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
pre { background: var(--panel); padding: 0.75rem; border-radius: 6px; overflow-x: auto; margin: 0; }
@media print { body { max-width: none; padding: 0; } section { break-inside: avoid; } }
)";

std::string page(std::string_view title, const Html& header, const Html& sections) {
  return html_document(title, std::string(kStyle) + chart_style(),
                       header + element("main", sections) +
                           element("footer", "Made by halfstep " + std::string(version()) + "."));
}

}  // namespace

std::string run_report(const RunDirectory& directory,
                       const std::vector<EvaluationFile>& evaluations) {
  const RunFacts facts = gather_facts(directory);
  return page(facts.name, heading_section(facts),
              pictures_section(facts) + distance_section(evaluations) + quality_section(facts) +
                  curves_section(facts) + cost_section(facts) + settings_section(facts) +
                  environment_section(facts));
}

std::string evaluation_report(std::string_view title,
                              const std::vector<EvaluationFile>& evaluations) {
  return page(title, element("header", element("h1", title)), distance_section(evaluations));
}

}  // namespace halfstep::report
