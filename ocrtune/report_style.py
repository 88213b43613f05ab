"""The frame of report.html: its looks on screens and paper, and what it may not do."""

from html import escape

from ocrtune.report_filter import SCRIPT, script_source

PALETTE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2330; --soft: #667085; --rule: #d9dee7;
  --base: #b45309; --tuned: #1d6fd1; --more: #6b8f71; --faint: #838c9d; --band: #f7e7d6;
  --missing: #cfe3ff; --extra: #ffd9d4; --wrong: #ffe9a8;
  --substitutions: #7c55bd; --deletions: #1f7a6f; --insertions: #b83a74 }
@media screen and (prefers-color-scheme: dark) { :root { --page: #14171d; --ink: #e7eaf0;
  --soft: #98a2b3; --rule: #343b48; --base: #f0a04b; --tuned: #6fb1ff; --more: #8db894;
  --faint: #6b7484; --band: #3a2c1c; --missing: #16406f; --extra: #6d221b; --wrong: #4f3f0a;
  --substitutions: #a98be0; --deletions: #4fb3a6; --insertions: #e06ea3 } }
@media print { :root { color-scheme: light } * { print-color-adjust: exact } }
"""
# The colours of a drawing's kinds; `report_png.COLOURS` are the same.
DRAWN = """
svg { display: block; width: 100%; height: auto } svg text { font-size: 13px; fill: var(--ink) }
svg text.soft { font-size: 13px; fill: var(--soft) } path.stroke { fill: none; stroke-width: 2 }
.stroke.whisker { stroke: var(--ink); stroke-width: 1.5 } .stroke.rule { stroke-width: 1;
  stroke: var(--rule) } .stroke.faint { stroke: var(--faint); stroke-width: 1.5 }
.stroke.base { stroke: var(--base) } .stroke.tuned { stroke: var(--tuned) }
.dashed { stroke-dasharray: 5 4 } .hollow.tuned { fill: var(--page); stroke: var(--tuned);
  stroke-width: 2 } rect.base { fill: var(--base) } .tuned { fill: var(--tuned) }
.more { fill: var(--more) } .band { fill: var(--band) }
.substitutions { fill: var(--substitutions) } .deletions { fill: var(--deletions) }
.insertions { fill: var(--insertions) }
figcaption { color: var(--soft) } .key::before { content: "■ " }
.key.substitutions { color: var(--substitutions) } .key.deletions { color: var(--deletions) }
.key.insertions { color: var(--insertions) }
"""
STYLE = """
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.verdict { font-size: 1.15rem } .soft, th { color: var(--soft) } .soft { font-size: .9rem }
th { font-weight: normal; text-align: start } tr:first-child th + th { text-align: end }
table { border-collapse: collapse } .wide { overflow-x: auto }
td, th { border-bottom: 1px solid var(--rule); padding: .2rem .8rem .2rem 0; vertical-align: top }
td, th { overflow-wrap: normal }
th:first-child { overflow-wrap: anywhere; min-width: 5rem }
.names th:first-child { min-width: 9rem }
.plain td { white-space: pre-wrap; overflow-wrap: anywhere }
del small, ins small, mark small { font-size: .65em }
td.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap }
figure { margin: 1rem 0; max-width: 34rem }
article { border-top: 1px solid var(--rule); padding: .8rem 0 }
article img { display: block; max-width: 100%; max-height: 24rem; margin: .4rem 0;
  background: #fff } article header { display: flex; flex-wrap: wrap; gap: .2rem 1rem }
article div.text { display: grid; grid-template-columns: 5rem 1fr; gap: .6rem }
article p { margin: .1rem 0; max-height: 14rem; overflow: auto; white-space: pre-wrap;
  font-size: 1.1rem }
.flag { color: var(--base); font-weight: bold }
del, ins, mark { color: inherit; border-radius: 3px; padding: 0 .1em }
del { background: var(--missing) } ins { background: var(--extra) }
mark { background: var(--wrong); text-decoration: underline dotted }
#filter { position: sticky; top: 0; background: var(--page); padding: .4rem 0 }
#filter * { font: inherit; max-width: 100% } [hidden] { display: none }
@media print { #filter { display: none }
  .wide { overflow: visible } td, td.number { white-space: normal }
  article, figure, tr { break-inside: avoid } article p { max-height: none }
  h2 { break-after: avoid } }
@media (max-width: 30rem) { article div.text { grid-template-columns: 1fr; gap: 0 } }
"""


def document(title: str, body: str, language: str) -> str:
    """Return a whole page of HTML; body: HTML, which the report's own script may filter."""
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever a picture or a text holds, this page asks nobody for anything.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"img-src data:; style-src 'unsafe-inline'; script-src {script_source()}\">\n"
        f"<title>{escape(title)}</title>\n<style>{PALETTE}{DRAWN}{STYLE}</style>\n</head>\n<body>\n{body}"
        f"\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
