#!/usr/bin/env bash
# Builds the real networks beside the project and prints the README's table.
#   ./scripts/workloads.sh [FOLDER]   writes to FOLDER (default: out/workloads)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing

workloads=../shared/workloads
out=${1:-out/workloads}
if ! [ -d "$workloads" ]; then
  echo "skipped: $workloads is absent" >&2
  exit 0
fi
cargo build --release --locked
mkdir -p "$out"
failed=0
for net in fashion_lenet5 fsdd_tdnnf kws_dscnn; do
  printf '\n== %s\n' "$net"
  data="$workloads/$net"
  target/release/axp build "$data/model.onnx" --calib "$data/x_calib.npy" \
    --eval "$data/x_test.npy" "$data/y_test.npy" --out "$out/$net" --force || failed=1
done
printf '\n'
python3 scripts/report_table.py "$out"/*/report.json
exit $failed
