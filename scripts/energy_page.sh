#!/usr/bin/env bash
# Measures the energy of the real networks and fills the tables of docs/energy.md.
#   ./scripts/energy_page.sh [FOLDER]   builds in FOLDER (default: out/energy); what was built and
#                                       measured is kept, so that it can be interrupted
# The figures go to docs/measured/energy_nets.json, and from there into the page, where what the folder
# does not have stays as it was, with a mark. Takes
# about an hour on two cores the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing

workloads=../shared/workloads
out=${1:-out/energy}
if ! [ -d "$workloads" ]; then
  echo "skipped: $workloads is absent" >&2
  exit 0
fi
# As the tests build it, so that tract is not compiled once more.
cargo build --release --locked --workspace --all-targets
axp=target/release/axp
mkdir -p "$out"

libraries=(--liberty /usr/share/qflow/tech/osu018/osu018_stdcells.lib)
for library in ../shared/liberty/sky130*.lib.gz; do
  if [ -f "$library" ]; then libraries+=(--liberty "$library"); fi
done

# measure NAME NETWORK BASELINES OPTION...: builds a design once, and measures it.
measure() {
  local name=$1 net=$2 baselines=$3 data=$workloads/$2
  shift 3
  local input=("$data/model.onnx" --calib "$data/x_calib.npy" --eval "$data/x_test.npy" "$data/y_test.npy")
  if [ "$net" = digits ]; then input=(--bundled digits); fi
  printf '\n== %s\n' "$name"
  if ! [ -d "$out/$name" ]; then
    "$axp" build "${input[@]}" --out "$out/$name" "$@"
  fi
  "$axp" energy "$out/$name" --macs 1024 --baselines "$baselines" "${libraries[@]}" --json > "$out/$name.part"
  mv "$out/$name.part" "$out/$name.json"
}

frozen=(--memory factored --index --frozen --zero-skip)
few=fp32,fp32_zero_skip
for net in kws_dscnn fashion_lenet5 fsdd_tdnnf; do
  measure "${net}_fixed" "$net" all "${frozen[@]}" --accumulator fixed
done
for net in kws_dscnn fashion_lenet5 fsdd_tdnnf; do
  measure "${net}_float" "$net" "$few" "${frozen[@]}" --product-bits 6
  measure "${net}_grid" "$net" "$few" --memory grid --frozen --zero-skip --accumulator fixed
done
measure fashion_lenet5_rows fashion_lenet5 "$few" --memory factored --index --zero-skip --accumulator fixed
measure digits_pair digits "$few"
measure digits_pair4 digits "$few" --rows 4 --max-loss 100
measure fashion_lenet5_pair fashion_lenet5 "$few"
target/release/examples/baseline_energy 2048 > "$out/baselines.txt"
"$axp" energy "$out/kws_dscnn_fixed" --macs 1024 --plot docs/energy.svg > "$out/kws_dscnn_fixed.txt"
python3 scripts/energy_page.py "$out" docs/measured/energy_nets.json docs/energy.md
