"""Fills the tables of docs/energy.md from what scripts/energy_page.sh measured.

    python3 scripts/energy_page.py out/energy docs/measured/energy_nets.json docs/energy.md

The folder has NAME.json (`axp energy --json`) beside NAME/report.json for each design, and
baselines.txt. What the folder lacks stays as it was; designs that do are marked on the page. What the page needs of them
is kept in the second file; where the folder is absent, that file alone fills the page. A table stands between `<!-- table NAME -->` and
`<!-- end -->`.
"""

import json
import re
import sys
from pathlib import Path

NETWORKS = ["fashion_lenet5", "fsdd_tdnnf", "kws_dscnn"]
DESIGNS = [
    ("fixed", "factored, frozen, fixed-point sums"),
    ("float", "factored, frozen, binary32 sums"),
    ("grid", "grid, frozen, fixed-point sums"),
    ("rows", "factored, rows through a port, fixed-point sums"),
]
PAIRS = [("digits_pair", "digits, 128 rows"), ("fashion_lenet5_pair", "fashion_lenet5, 128 rows"), ("digits_pair4", "digits, 4 rows")]
LIBRARIES = ["osu018", "sky130"]


def collect(folder, before):
    """What the page needs of the measurements in a folder, and what was kept of those before."""
    shown = [f"{network}_{suffix}" for network in NETWORKS for suffix, _ in DESIGNS] + [name for name, _ in PAIRS]
    designs = {name: {**design, "kept": True} for name, design in before["designs"].items() if name in shown}
    for path in sorted(folder.glob("*.json")):
        energy = json.loads(path.read_text())
        report = json.loads((folder / path.stem / "report.json").read_text())
        kept = ("pj_per_mac", "split", "by_class", "ge", "longest_path_ns")
        libraries = {}
        for library in energy["libraries"]:
            estimate = library["estimate"]
            libraries[library["library"].split("_")[0]] = {
                **{key: library[key] for key in kept},
                "period_ns": library["period_ns"],
                "baselines": {
                    b["name"]: {"saving_percent": b["saving_percent"], **{key: b[key] for key in kept}}
                    for b in library["baselines"]
                },
                "waterfall": [(step["step"], step["step_percent"]) for step in library["waterfall"]],
                "estimate_error_percent": estimate and estimate["error_percent"],
            }
        accuracy = report["accuracy"]
        designs[path.stem] = {
            "pe": energy["pe"],
            "loss_pp": accuracy["loss_pp"],
            "loss_error_pp": accuracy["loss_standard_error_pp"],
            "nonzero_hits": report["hit_rate"]["nonzero"],
            "zeros": report["zero_rate"],
            "overflows": report["overflows"],
            "mismatches": report["equivalence"]["mismatches"],
            "narrow": {narrow["operands"]: [narrow["loss_pp"], narrow["loss_standard_error_pp"]] for narrow in report.get("narrow", [])},
            "libraries": libraries,
        }
    path = folder / "baselines.txt"
    if not path.exists():
        return {"designs": designs, "baselines": before["baselines"]}
    lines = path.read_text().splitlines()[1:]
    return {"designs": designs, "baselines": [line.replace("|", "").split() for line in lines]}


def loss(design):
    # A paired standard error of 0 comes of no disagreement at all.
    return f"{design['loss_pp']:+.2f} ± {design['loss_error_pp']:.2f}"


def mark(design):
    return " †" if design.get("kept") else ""


def split(figures):
    parts = figures["split"]
    names = ("search_and_read", "multiplier", "accumulator", "registers", "clock", "reload")
    return " / ".join(f"{parts[name]:.1f}" for name in names)


def shape(design):
    words = design["pe"].removeprefix("axp_pe_").split("_")
    return "_".join(word for word in words if word not in ("factored", "grid", "ix", "frozen"))


def designs(measured, library):
    lines = [
        "| network | design | lost, pp | GE | ns | pJ a MAC | `fp32` | saves of it | of `fp32_zero_skip` | estimate off by |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for network in NETWORKS:
        for suffix, title in DESIGNS:
            design = measured["designs"].get(f"{network}_{suffix}")
            if not design or library not in design["libraries"]:
                continue
            own = design["libraries"][library]
            plain, skip = own["baselines"]["fp32"], own["baselines"]["fp32_zero_skip"]
            error = own["estimate_error_percent"]
            lines.append(
                f"| `{network}` | {title}{mark(design)}: `{shape(design)}` | {loss(design)} | {own['ge']:.0f} | {own['longest_path_ns']:.1f} | "
                f"**{own['pj_per_mac']:.1f}** | {plain['pj_per_mac']:.1f} | **{plain['saving_percent']:.1f} %** | "
                f"{skip['saving_percent']:.1f} % | {'' if error is None else f'{error:+.1f} %'} |"
            )
    return lines


def plain(measured, library):
    found = {network: measured["designs"].get(f"{network}_fixed") for network in NETWORKS}
    found = {network: design for network, design in found.items() if design and library in design["libraries"]}
    lines = ["| pJ a MAC (what the design with fixed-point sums saves of it) | " + " | ".join(f"`{network}`" for network in found) + " |", "|---" * (len(found) + 1) + "|"]
    own = [design["libraries"][library] for design in found.values()]
    lines.append("| design: total | " + " | ".join(f"**{figures['pj_per_mac']:.1f}**" for figures in own) + " |")
    lines.append("| … memory / multiplier / sum / registers / clock / rows | " + " | ".join(split(figures) for figures in own) + " |")
    losses = [design.get("narrow", {}) for design in found.values()]
    for operands in dict.fromkeys(operands for loss in losses for operands in loss):
        cells = [f"{loss[operands][0]:+.2f} ± {loss[operands][1]:.2f}" if operands in loss else "" for loss in losses]
        lines.append(f"| {operands} MACs lose, pp (design: " + ", ".join(f"{design['loss_pp']:+.2f}" for design in found.values()) + ") | " + " | ".join(cells) + " |")
    by = [figures["by_class"] for figures in own]
    cell = lambda value: "-" if value is None else f"{value:.1f}"
    lines.append("| … a hit, a zero | " + " | ".join(f"{cell(kinds['hit'])}, {cell(kinds['zero'])}" for kinds in by) + " |")
    for name in own[0]["baselines"] if own else []:
        area = own[0]["baselines"][name]["ge"]
        cells = [f"{figures['baselines'][name]['pj_per_mac']:.1f} ({figures['baselines'][name]['saving_percent']:.1f} %)" for figures in own]
        lines.append(f"| `{name}`, {area:.0f} GE | " + " | ".join(cells) + " |")
    return lines


def steps(measured, library):
    found = {network: measured["designs"].get(f"{network}_fixed") for network in NETWORKS}
    found = {
        network: dict(map(tuple, design["libraries"][library]["waterfall"]))
        for network, design in found.items()
        if design and library in design["libraries"]
    }
    lines = ["| percent of `fp32` | " + " | ".join(f"`{network}`" for network in found) + " |", "|---" * (len(found) + 1) + "|"]
    names = [step for column in found.values() for step in column if step != "plain binary32 MAC"]
    for step in dict.fromkeys(names):
        cells = [f"{column[step]:.1f}" if step in column else "" for column in found.values()]
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return lines


def pairs(measured):
    lines = [
        "| design | library | lost, pp | hits, nonzero | GE | pJ a MAC | memory / multiplier / sum / registers / clock / rows | `fp32` | saves |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, title in PAIRS:
        design = measured["designs"].get(name)
        for library, own in (design or {"libraries": {}})["libraries"].items():
            base = own["baselines"]["fp32"]
            lines.append(
                f"| {title}{mark(design)} | {library} | {loss(design)} | {100 * design['nonzero_hits']:.1f} % | {own['ge']:.0f} | "
                f"{own['pj_per_mac']:.1f} | {split(own)} | {base['pj_per_mac']:.1f} | {base['saving_percent']:.1f} % |"
            )
    return lines


def baselines(measured):
    by = {}
    for library, name, ge, ns, pj, *_ in measured["baselines"]:
        by.setdefault(name, {})[library.split("_")[0]] = (float(ge), float(ns), float(pj))
    lines = ["| | osu018: GE | ns | pJ | sky130: GE | ns | pJ |", "|---|---|---|---|---|---|---|"]
    for name, libraries in by.items():
        cells = [" | ".join(f"{value:.{digits}f}" for value, digits in zip(libraries[library], (0, 1, 1))) if library in libraries else " | | " for library in LIBRARIES]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def main():
    folder, kept, page = map(Path, sys.argv[1:])
    if folder.is_dir():
        before = json.loads(kept.read_text()) if kept.exists() else {"designs": {}, "baselines": []}
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(collect(folder, before), indent=1) + "\n")
        part.rename(kept)
    measured = json.loads(kept.read_text())
    tables = {"pairs": pairs(measured), "baselines": baselines(measured)}
    for library in LIBRARIES:
        for table in (designs, plain, steps):
            tables[f"{table.__name__}_{library}"] = table(measured, library)
    text = page.read_text()
    for name, lines in tables.items():
        begin = f"<!-- table {name} -->"
        pattern = re.compile(re.escape(begin) + r".*?<!-- end -->", re.S)
        if not pattern.search(text):
            sys.exit(f"{page} has no {begin}")
        block = "\n".join([begin, *lines, "<!-- end -->"])
        text = pattern.sub(lambda _: block, text)
    part = page.with_suffix(".part")
    part.write_text(text)
    part.rename(page)


main()
