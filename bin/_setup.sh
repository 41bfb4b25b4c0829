# Shared by bin/run, bin/test and bin/bench: Python, the virtual environment, the pinned packages.
# Sourced by bash with `set -euo pipefail`; works from any folder.

ROOT=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv

say() { printf 'bespoke  | %s\n' "$*"; }
die() { printf '\n%s\n' "$*" >&2; exit 1; }

fits() { # fits COMMAND: is it a Python that we support, and does it really run?
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

find_python() {
  local candidate
  # 3.13 comes last: for it there is no ready-made Redis among the packages.
  for candidate in "${PYTHON:-}" python3.12 python3.11 python3 python3.13 python; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then
      PYTHON=$candidate
      return
    fi
  done
  local found
  found=$(python3 --version 2>/dev/null || echo 'no Python at all')
  if command -v apt-get >/dev/null 2>&1; then
    die "Bespoke needs Python 3.11, 3.12 or 3.13; this machine has $found.
Install one: $(as_root)apt-get install python3 python3-venv (on a release older than Debian 12 or
Ubuntu 24.04: $(as_root)apt-get install python3.11 python3.11-venv), then run this command again."
  fi
  die "Bespoke needs Python 3.11, 3.12 or 3.13; this machine has $found.
Install one from https://www.python.org/downloads/ or with your package manager, then run this command again
(PYTHON=/path/to/python3.12 $0 chooses one)."
}

as_root() { if [ "$(id -u)" -ne 0 ]; then printf 'sudo '; fi; }

demand_venv_module() { # Debian ships Python without the part that makes virtual environments.
  if "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1; then return; fi
  local package
  package=$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "This Python cannot make virtual environments: installing $package with apt-get."
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
      "$package"; } >/dev/null && "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1; then return; fi
  fi
  if command -v apt-get >/dev/null 2>&1; then
    die "$PYTHON cannot make virtual environments. Install the missing part, then run this command again:
  $(as_root)apt-get install $package"
  fi
  die "$PYTHON cannot make virtual environments (its modules venv and ensurepip are missing).
Install Python 3.11 or newer with them, then run this command again."
}

stamp() { # stamp LOCKFILE: changes with the lock and with the interpreter
  { cat "$ROOT/$1"; "$VENV/bin/python" --version; } | cksum
}

is_installed() { # is_installed LOCKFILE
  [ -f "$VENV/.$1.stamp" ] && [ "$(cat "$VENV/.$1.stamp")" = "$(stamp "$1")" ]
}

install_packages() { # install_packages LOCKFILE [LOCKFILE that the first one contains]
  local lock
  if [ -x "$VENV/bin/python" ] && fits "$VENV/bin/python" && [ ! -e "$VENV/.unfinished" ] &&
    is_installed "$1"; then return; fi
  mkdir -p "$ROOT/var" 2>/dev/null || die "$ROOT cannot be written by $(id -un). Use a checkout of your own."
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$ROOT/var/setup.lock" || die "$ROOT/var belongs to another user. Use a checkout of your own."
    if ! flock -n 9; then
      say "Another command is installing the packages: waiting for it."
      flock 9
    fi
  fi
  # A killed installation can leave a package half there that pip takes for whole: begin again then.
  if [ -e "$VENV/.unfinished" ]; then
    say "The last installation was interrupted: starting it again."
    rm -rf "$VENV"
  elif [ -e "$VENV" ] && ! { fits "$VENV/bin/python" && "$VENV/bin/python" -m pip --version; } >/dev/null 2>&1; then
    say "The virtual environment does not work any more: making it again."
    rm -rf "$VENV"
  fi
  if [ ! -e "$VENV" ]; then
    find_python
    demand_venv_module
    mkdir "$VENV"
    touch "$VENV/.unfinished"
    "$PYTHON" -m venv "$VENV"
  fi
  if ! is_installed "$1"; then
    say "Installing the packages of $1 (the first time this takes about a minute)."
    touch "$VENV/.unfinished"
    "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes \
      -r "$ROOT/$1" 9>&- || die "The packages could not be installed; the lines above tell why.
With no network at hand, or a full disk, mend that; then run this command again."
    for lock in "$@"; do stamp "$lock" >"$VENV/.$lock.stamp"; done
    rm -f "$VENV/.unfinished"
  fi
  exec 9>&- || true
}

install_extra() { # install_extra FILE: exact versions without hashes, once; fails without ending the script
  if is_installed "$1"; then return; fi
  say "Installing the packages of $1 (large: this may take minutes)."
  "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check -r "$ROOT/$1" || return 1
  mkdir -p "$(dirname -- "$VENV/.$1.stamp")"
  stamp "$1" >"$VENV/.$1.stamp"
}

install_wanted_extras() { # EXTRAS=deep before any command brings the deep models
  case ${EXTRAS:-} in
    "") ;;
    deep) install_extra requirements-deep.txt || die "The extra packages could not be installed; see above." ;;
    *) die "EXTRAS knows only deep, not $EXTRAS." ;;
  esac
}
