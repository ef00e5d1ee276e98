#!/usr/bin/env bash
# Installs what is missing, then runs every check that a change has to pass.
#   ./scripts/test.sh            the checks CI runs
#   AXP_LONG=1 ./scripts/test.sh also the long sweeps
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
axp_need_cargo
axp_install_missing
axp_install_ecp5

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all -- --check
step "lints"
cargo clippy --release --workspace --all-targets --locked -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --locked --quiet
step "tests"
if ! [ -d ../shared/workloads ]; then
  echo "note: ../shared/workloads is absent: the tests that use it will skip, and say so"
fi
cargo test --release --workspace --locked
