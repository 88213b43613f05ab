"""The small script of report.html: which lines are shown, by kind and by text, and the next loop.

Without it everything stays readable: the controls are hidden until it runs.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

KINDS = ("all", "worse", "better", "loops", "over", "failed")

SCRIPT = """
const bar = document.getElementById("filter"), count = bar.querySelector("output");
const kind = bar.querySelector("select"), word = bar.querySelector("input");
const lines = [...document.querySelectorAll("article")];
const texts = lines.map(line => line.textContent.toLowerCase());
let last = -1;
function show() {
  const asked = kind.value, part = word.value.trim().toLowerCase();
  let shown = 0;
  lines.forEach((line, row) => {
    line.hidden = !((asked === "all" || line.dataset.kinds.split(" ").includes(asked))
      && texts[row].includes(part));
    shown += line.hidden ? 0 : 1;
  });
  count.textContent = shown + " / " + lines.length;
  last = -1;
}
function next() {
  const loops = lines.filter(line => !line.hidden && line.dataset.kinds.includes("loops"));
  if (!loops.length) return;
  last = (last + 1) % loops.length;
  loops[last].scrollIntoView({block: "start"});
}
kind.addEventListener("change", show);
word.addEventListener("input", show);
bar.querySelector("button").addEventListener("click", next);
bar.hidden = false;
show();
"""


def script_source() -> str:
    """Return what a Content-Security-Policy names the script by, so that no other one runs."""
    digest = hashlib.sha256(SCRIPT.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def controls(words: Mapping[str, str]) -> str:
    """Return the choice of lines, the search and the jump as HTML, hidden without the script."""
    options = "".join(
        f'<option value="{kind}">{escape(words[f"filter_{kind}"])}</option>' for kind in KINDS
    )
    search = escape(words["search"])
    return (
        f'<div id="filter" hidden><select aria-label="{escape(words["filter_label"])}">{options}'
        f'</select> <input type="search" aria-label="{search}" placeholder="{search}"> '
        f'<button type="button">{escape(words["next_loop"])}</button> <output></output></div>'
    )


def line_kinds(line: Mapping) -> str:
    """Return the kinds of KINDS that a line of the report belongs to, with spaces between."""
    errors = line["tuned_errors"]
    belongs = {
        "worse": errors > line["base_errors"],
        "better": errors < line["base_errors"],
        "loops": line["base_looped"] or line["tuned_looped"],
        "over": any((line[f"{model}_cer"] or 0) > 1 for model in ("base", "tuned")),
        "failed": bool(line["base_failed"] or line["tuned_failed"]),
    }
    return " ".join(kind for kind, so in belongs.items() if so)
