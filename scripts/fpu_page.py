"""Fills the tables of docs/fpu.md from the figures in docs/measured.

    python3 scripts/fpu_page.py docs/measured docs/fpu.md

A table stands between `<!-- table NAME -->` and `<!-- end -->`.
"""

import json
import re
import sys
from pathlib import Path

FORMATS = ["fp32", "bf16", "fp16", "e4m3", "e5m2"]
REFERENCE = {"mul_fp32": (4950, 13.5, "5180 / 14.3"), "add_fp32": (2400, 12.0, "3106 / 14.1")}


def load(folder, name):
    """The figures of one unit, or None where they have not been measured."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def rows_of(figures):
    return figures.get("libraries") or [figures]


def short(library):
    return library.split("_stdcell")[0].removesuffix("__tt_025C_1v80")


def ratio(row):
    operator = row.get("operator")
    return f"{operator['size_ratio']:.2f} / {operator['delay_ratio']:.2f}" if operator else ""


def targets(folder):
    proofs = load(folder, "fpu_proof") or []
    lines = ["| unit, osu018 | at most | HardFloat + Dadda | here | cases of the RTL run | differences |", "|---|---|---|---|---|---|"]
    for name, (ge, ns, reference) in REFERENCE.items():
        figures = load(folder, name)
        if not figures:
            continue
        row = next(row for row in rows_of(figures) if row["library"].startswith("osu018"))
        proof = next((p for p in proofs if p["sha256"] == row["sha256"]), None)
        cases, wrong = (f"{proof['cases']:,}", proof["mismatches"]) if proof else ("not run on this text", "")
        here = f"**{row['ge']:.0f} GE, {row['longest_path_ns']:.1f} ns**"
        lines.append(f"| `{figures['module']}` | {ge} GE, {ns} ns | {reference} | {here} | {cases} | {wrong} |")
    return lines


def libraries(folder):
    lines = ["| unit | library | area | GE | longest path, ns | FA cells | flops | size / delay against `*` |", "|---|---|---|---|---|---|---|---|"]
    names = [f"{op}_{f}" for op in ("mul", "add") for f in FORMATS]
    names += ["mul_fp32_booth", "mul_fp32_s1", "mul_fp32_s2", "add_fp32_s1", "to_fixed_fp32", "from_fixed_fp32"]
    for name in names:
        figures = load(folder, name)
        for row in rows_of(figures) if figures else []:
            lines.append(
                f"| `{figures['module']}` | {short(row['library'])} | {row['area']:.0f} | {row['ge']:.0f} | "
                f"{row['longest_path_ns']:.2f} | {row['full_adders']} | {row['flops']} | {ratio(row)} |"
            )
    return lines


def devices(folder):
    lines = ["| unit | device | LUT4 | carry cells | DSPs | MHz | size / delay against `*` |", "|---|---|---|---|---|---|---|"]
    titles = {"ice40": "iCE40 HX8K", "ecp5": "ECP5 85k"}
    for name in [f"{op}_{f}" for op in ("mul", "add") for f in FORMATS]:
        figures = load(folder, name)
        for row in (figures or {}).get("fpga", []):
            device = titles.get(row["family"].lower(), row["family"])
            lines.append(
                f"| `{figures['module']}` | {device} | {row['luts']} | {row['carries']} | {row['dsps']} | "
                f"{row['fmax_mhz']:.1f} | {ratio(row)} |"
            )
    return lines


def energies(folder):
    lines = ["| unit | library | GE | pJ an operation, half zeros | all nonzero | of it leakage | pins with activity |", "|---|---|---|---|---|---|---|"]
    for row in load(folder, "energy") or []:
        lines.append(
            f"| `{row['module']}` | {short(row['library'])} | {row['ge']:.0f} | {row['pj_half_zero']:.1f} | "
            f"{row['pj_nonzero']:.1f} | {row['leakage_pj']:.4f} | {row['annotated_percent']:.1f} % |"
        )
    return lines


def proofs(folder):
    lines = ["| module | SHA-256 of its Verilog | cases | differences |", "|---|---|---|---|"]
    for proof in load(folder, "fpu_proof") or []:
        lines.append(f"| `{proof['module']}` | `{proof['sha256'][:16]}…` | {proof['cases']:,} | {proof['mismatches']} |")
    return lines


def tools(folder):
    figures = load(folder, "mul_fp32")
    versions = rows_of(figures)[0]["tools"] if figures else {}
    return ["Tools: " + ", ".join(version if tool in version.lower() else f"{tool} {version}" for tool, version in sorted(versions.items())) + "."]


def main():
    folder, page = Path(sys.argv[1]), Path(sys.argv[2])
    text = page.read_text()
    for table in (targets, libraries, energies, devices, proofs, tools):
        begin = f"<!-- table {table.__name__} -->"
        pattern = re.compile(re.escape(begin) + r".*?<!-- end -->", re.S)
        if not pattern.search(text):
            sys.exit(f"{page} has no {begin}")
        block = "\n".join([begin, *table(folder), "<!-- end -->"])
        text = pattern.sub(lambda _: block, text)
    part = page.with_suffix(".part")
    part.write_text(text)
    part.rename(page)


main()
