#!/usr/bin/env bash
# Builds all workloads with all kinds of memory and fills the table of docs/codesign.md.
#   ./scripts/codesign_page.sh [FOLDER]   builds in FOLDER (default: out/codesign); what was
#                                         built is kept, so that it can be interrupted
# The table has the networks beside the project, where they are there, and the bundled ones.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing

workloads=../shared/workloads
out=${1:-out/codesign}
# As the tests build it, so that tract is not compiled once more.
cargo build --release --locked --workspace --all-targets
axp=target/release/axp
mkdir -p "$out"

# build NET NAME OPTION...: a loss beyond the bound (exit code 1) is a result as well.
build() {
  local net=$1 name=$2 input
  shift 2
  case $net in
    digits | keywords) input=(--bundled "$net") ;;
    *)
      local data=$workloads/$net
      if ! [ -d "$data" ]; then
        echo "skipped: $data is absent" >&2
        return
      fi
      input=("$data/model.onnx" --calib "$data/x_calib.npy" --eval "$data/x_test.npy" "$data/y_test.npy")
      ;;
  esac
  [ -f "$out/$net-$name/report.json" ] && return
  printf '\n== %s %s\n' "$net" "$name"
  "$axp" build "${input[@]}" --out "$out/$net-$name" --zero-skip --seeds 3 --outputs 1 --macs 1 "$@" || [ $? -eq 1 ]
}

for net in fashion_lenet5 fsdd_tdnnf kws_dscnn digits keywords; do
  build "$net" factored --memory factored --accumulator fixed --index --frozen
  build "$net" factored_float --memory factored --index --frozen
  build "$net" grid --memory grid --accumulator fixed --frozen
  build "$net" pair
done
python3 scripts/codesign_page.py "$out" docs/codesign.md
