"""Fills the table of docs/codesign.md from the reports of builds.

    python3 codesign_page.py FOLDER PAGE

FOLDER has a build NETWORK-NAME for each row; the table goes between the page's two marks. Rows of which
it has none stay as they are, marked as older.
"""

import json
import sys
from pathlib import Path

MARKS = ("<!-- table -->", "<!-- end of table -->")
NETS = ["fashion_lenet5", "fsdd_tdnnf", "kws_dscnn", "digits", "keywords"]
KINDS = {
    "factored": "factored, fixed-point sums",
    "factored_float": "factored, binary32 sums",
    "grid": "grid, fixed-point sums",
    "pair": "pair, binary32 sums",
}


def row(net: str, kind: str, report: dict) -> str:
    accuracy, choice, subsets = report["accuracy"], report["choice"], report["subsets"]
    low, high = accuracy["loss_interval_pp"]
    least, most = subsets["range_pp"]
    exact = [layer for layer in report["layers"] if layer["mapped"] and layer["rows"] == 0]
    share = 100 * sum(layer["macs"] for layer in exact) / report["macs"]
    served = [layer["hit_rate"]["nonzero"] for layer in report["layers"] if layer["mapped"] and layer["rows"] > 0]
    pj = choice["estimated_pj_per_mac"]
    cells = [
        f"`{net}`",
        KINDS[kind],
        f"`{report['pe']['name'].removeprefix('axp_pe_')}`",
        str(choice.get("products", choice["rows"])),
        f"{len(exact)} ({share:.1f} %)" if exact else "none",
        f"{accuracy['loss_pp']:+.2f} ({low:+.2f} to {high:+.2f})",
        f"{subsets['mean_pp']:+.2f} ({least:+.2f} to {most:+.2f})",
        f"{100 * report['hit_rate']['nonzero']:.1f} %",
        f"{100 * min(served):.1f} %" if served else "",
        str(report["overflows"]),
        f"{pj:.1f}" if pj is not None else "",
    ]
    return "| " + " | ".join(cells) + " |"


def kept(line: str) -> str:
    """A row of before, with a mark behind the name of its memory."""
    cells = line.split(" | ")
    return " | ".join([cells[0], cells[1].removesuffix(" †") + " †", *cells[2:]])


def table(folder: Path, before: list[str]) -> list[str]:
    head = [
        "network",
        "memory",
        "design",
        "products",
        "layers exact (MACs)",
        "lost, pp (95 %)",
        "lost, 3 subsets: mean (range)",
        "hits, nonzero",
        "least of a layer",
        "overflows",
        "estimate, pJ a MAC",
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for net in NETS:
        for kind in KINDS:
            report = folder / f"{net}-{kind}" / "report.json"
            if report.is_file():
                lines.append(row(net, kind, json.loads(report.read_text())))
            else:
                start = f"| `{net}` | {KINDS[kind]}"
                lines += [kept(line) for line in before if line.startswith((start + " |", start + " †"))]
    return lines


def main() -> None:
    folder, page = Path(sys.argv[1]), Path(sys.argv[2])
    before, rest = page.read_text().split(MARKS[0])
    rows, after = rest.split(MARKS[1])
    lines = table(folder, rows.splitlines())
    page.write_text(before + MARKS[0] + "\n" + "\n".join(lines) + "\n" + MARKS[1] + after)


if __name__ == "__main__":
    main()
