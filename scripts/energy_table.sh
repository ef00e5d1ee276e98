#!/usr/bin/env bash
# Makes the energy table that comes with axp, from the bundled networks: builds them with
# every kind of memory and sum, measures all of them on gates, and fits the components.
#   ./scripts/energy_table.sh [FILE]   writes FILE (default: testbench/data/energy.json)
# Without ../shared/liberty the table covers osu018 alone. Takes about an hour on two
# cores the first time; what was built and measured is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing

file=${1:-testbench/data/energy.json}
out=out/energy_table
sky130=../shared/liberty/sky130_fd_sc_hd__tt_025C_1v80.lib.gz
osu018=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
# As the tests build it, so that tract is not compiled once more.
cargo build --release --locked --workspace --all-targets
mkdir -p "$out"

# build NETWORK FOLDER OPTION...: what a design loses is of no account here.
designs=()
build() {
  local net=$1 folder=$out/$2
  shift 2
  designs+=("$folder")
  [ -d "$folder" ] && return
  target/release/axp build --bundled "$net" --out "$folder" --max-loss 100 --outputs 1 --macs 1 "$@"
}
fixed=(--accumulator fixed --accumulator-bits 24)
short=(--accumulator fixed --accumulator-bits 16 --product-bits 6)
index=(--index --zero-skip)
build digits d_pair4 --rows 4 --zero-skip
build digits d_pair16 --rows 16
build digits d_pair32_frozen --rows 32 --frozen --zero-skip
build digits d_factored_8x3 --memory factored --size 8x3 --zero-skip
build digits d_factored_16x2_fixed --memory factored --size 16x2 "${fixed[@]}" --index
build digits d_factored_4x2_frozen_short --memory factored --size 4x2 "${short[@]}" --frozen "${index[@]}"
build digits d_factored_16x3_frozen_fixed --memory factored --size 16x3 "${fixed[@]}" --frozen "${index[@]}"
build digits d_factored_8x3_frozen --memory factored --size 8x3 --frozen "${index[@]}"
build digits d_grid_12x4_fixed --memory grid --size 12x4 "${fixed[@]}" --zero-skip
build digits d_grid_24x8_frozen_fixed --memory grid --size 24x8 "${fixed[@]}" --frozen --zero-skip
build keywords k_pair128 --rows 128 --zero-skip
build keywords k_factored_16x2_frozen_short --memory factored --size 16x2 "${short[@]}" --frozen "${index[@]}"
build digits d_factored_8x3_frozen_short --memory factored --size 8x3 "${short[@]}" --frozen "${index[@]}"
build digits d_factored_8x2_frozen_20 --memory factored --size 8x2 --accumulator fixed --accumulator-bits 20 --product-bits 8 \
  --frozen "${index[@]}"
build digits d_factored_8x2_shared_frozen --memory factored --size 8x2 --fractions 2 --accumulator fixed \
  --accumulator-bits 20 --product-bits 8 --frozen "${index[@]}"
build digits d_factored_8x2_shared_frozen_10 --memory factored --size 8x2 --fractions 2 --accumulator fixed \
  --accumulator-bits 10 --frozen "${index[@]}"
build keywords k_factored_16x3_shared_frozen_12 --memory factored --size 16x3 --fractions 4 --accumulator fixed \
  --accumulator-bits 12 --frozen "${index[@]}"
build keywords k_factored_32x3_shared_frozen --memory factored --size 32x3 --fractions 4 "${short[@]}" --frozen "${index[@]}"
build keywords k_factored_16x3_shared_frozen_p9 --memory factored --size 16x3 --fractions 4 --product-bits 9 --frozen "${index[@]}"
build keywords k_factored_8x3_frozen_fixed --memory factored --size 8x3 "${fixed[@]}" --frozen "${index[@]}"
build keywords k_factored_4x2_frozen --memory factored --size 4x2 --frozen "${index[@]}"
build keywords k_factored_16x3_frozen --memory factored --size 16x3 --frozen "${index[@]}"
fixed_frozen() { build "$1" "$2" --memory grid --size "$3" --accumulator fixed --accumulator-bits "$4" --frozen --zero-skip; }
fixed_frozen digits d_grid_12x4_frozen_12 12x4 12
fixed_frozen digits d_grid_16x8_frozen_10 16x8 10
build digits d_grid_32x12_frozen --memory grid --size 32x12 --frozen --zero-skip
build keywords k_grid_16x8_12 --memory grid --size 16x8 --accumulator fixed --accumulator-bits 12 --zero-skip
build keywords k_grid_32x14_frozen_short --memory grid --size 32x14 "${short[@]}" --frozen --zero-skip
fixed_frozen keywords k_grid_24x16_frozen_12 24x16 12
fixed_frozen keywords k_grid_24x16_frozen_10 24x16 10
fixed_frozen digits d_grid_48x12_frozen_12 48x12 12
build digits d_factored_8x2_shared_frozen_p6 --memory factored --size 8x2 --fractions 2 --product-bits 6 \
  --frozen "${index[@]}"
build keywords k_factored_16x3_shared_frozen_p6 --memory factored --size 16x3 --fractions 4 --product-bits 6 \
  --frozen "${index[@]}"
build keywords k_factored_8x3_12 --memory factored --size 8x3 --accumulator fixed --accumulator-bits 12 "${index[@]}"
build digits d_factored_16x2_10 --memory factored --size 16x2 --accumulator fixed --accumulator-bits 10 "${index[@]}"

target/release/axp energy-table "${designs[@]}" --liberty "$osu018" --macs 512 --out "$file"
if ! [ -f "$sky130" ]; then
  echo "note: $sky130 is absent: the table covers osu018 alone" >&2
  exit 0
fi
# Of each kind some: what energies go with was found on osu018.
few=(d_pair4 d_pair16 d_pair32_frozen k_pair128 d_factored_8x3 d_factored_16x2_10 d_factored_8x3_frozen_short d_factored_8x2_shared_frozen_10
  d_factored_8x2_shared_frozen_p6 d_grid_12x4_fixed d_grid_16x8_frozen_10 k_factored_16x2_frozen_short
  k_factored_16x3_shared_frozen_12 k_factored_32x3_shared_frozen k_factored_16x3_frozen k_factored_16x3_shared_frozen_p6
  k_grid_16x8_12 k_grid_24x16_frozen_12 d_grid_24x8_frozen_fixed d_grid_12x4_frozen_12 d_grid_32x12_frozen
  k_grid_32x14_frozen_short k_grid_24x16_frozen_10 d_grid_48x12_frozen_12)
target/release/axp energy-table "${few[@]/#/$out/}" --liberty "$sky130" --macs 512 --keep --out "$file"
