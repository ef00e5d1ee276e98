#!/usr/bin/env bash
# Trains the bundled nets again and writes golden/data: makes a Python environment, installs espeak-ng when it is
# missing, runs both scripts on one core (about ten minutes). The normal run never needs this.
set -euo pipefail
cd "$(dirname "$0")/.."

venv="${AXP_TRAIN_VENV:-.venv}"
if ! command -v espeak-ng >/dev/null; then
    echo "installing the Debian package espeak-ng" >&2
    if [ "$(id -u)" = 0 ]; then root=(); else root=(sudo); fi
    "${root[@]}" apt-get install -y -q espeak-ng
fi
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "error: needs Python 3.11 or later with venv; install the Debian packages python3 and python3-venv" >&2
    exit 2
fi
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install -q -r scripts/requirements-train.txt

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
nice -n 10 "$venv/bin/python" scripts/train_digits.py
nice -n 10 "$venv/bin/python" scripts/train_keywords.py
