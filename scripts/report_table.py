"""Prints a Markdown table, a row for each report.json named on the command line."""

import json
import sys
from pathlib import Path


def row(path: Path) -> str:
    report = json.loads(path.read_text(encoding="utf-8"))
    accuracy, equivalence = report["accuracy"], report["equivalence"]
    fewest = min(layer["outputs"] for layer in equivalence["layers"])
    cells = [
        f"`{path.parent.name}`",
        f"{len(equivalence['layers'])}",
        f"{100 * accuracy['baseline']:.2f} → {100 * accuracy['axp']:.2f} %",
        f"{accuracy['loss_pp']:+.2f} ± {accuracy['loss_standard_error_pp']:.2f} pp",
        f"{100 * report['hit_rate']['nonzero']:.1f} %",
        f"{100 * report['hit_rate']['all']:.1f} %",
        f"{report['pe']['am']['rows']}",
        f"{equivalence['cycles']:,}",
        f"{equivalence['outputs']:,} (≥ {fewest} a layer)",
        f"{equivalence['mismatches']}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    heads = ["network", "layers", "accuracy", "lost", "hits, nonzero", "hits, all", "rows", "cycles replayed", "outputs", "mismatches"]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for name in sys.argv[1:]:
        print(row(Path(name)))


if __name__ == "__main__":
    main()
