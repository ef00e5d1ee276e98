#!/usr/bin/env bash
# Installs what is missing, builds axp, and takes the bundled networks the whole
# way: ONNX -> co-design -> Verilog -> lint -> replay of real layers -> report,
# and for the first of them the energy of the gates.
#   ./scripts/demo.sh [FOLDER]   writes to FOLDER (default: out/demo)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing

out=${1:-out/demo}
echo "building axp (the first time takes some minutes)"
cargo build --release --locked
mkdir -p "$out"
for net in digits keywords; do
  printf '\n== %s\n' "$net"
  target/release/axp build --bundled "$net" --out "$out/$net" --force
done
printf '\n== energy of digits, on gates of osu018 (some minutes the first time, then kept)\n'
target/release/axp energy "$out/digits"
printf '\n== digits on the memory that saves most: factored, in logic, with fixed-point sums\n'
target/release/axp build --bundled digits --memory factored --accumulator fixed --index --frozen --zero-skip \
  --out "$out/digits_factored" --force
target/release/axp energy "$out/digits_factored"
printf '\nOpen %s, %s and %s in a browser.\n' "$out/digits/report.html" "$out/keywords/report.html" "$out/digits_factored/report.html"
