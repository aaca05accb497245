#!/usr/bin/env bash
# Prepares a machine to build and run Lyceum: the compiler, the system libraries, the embedded model.
# Everything is looked at before it is done, so a second run does nothing and needs no network.
#
#   scripts/setup.sh            all of it
#   scripts/setup.sh libraries  the compiler and the libraries only
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

check_swift() {
    have swift || die "there is no 'swift' on the PATH. Lyceum needs Swift 6 or later: https://www.swift.org/install"
    local version
    version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\).*/\1/p' | head -n 1)"
    if [ "${version:-0}" -lt 6 ]; then
        die "Swift ${version:-?} is too old. Lyceum needs Swift 6 or later: https://www.swift.org/install"
    fi
}

# True when a C header is where the compiler looks.
have_header() {
    local folder
    for folder in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
        if [ -e "$folder/$1" ]; then return 0; fi
    done
    return 1
}

install_libraries() {
    local missing=""
    have_header oneapi/dnnl/dnnl.h || missing="$missing libdnnl-dev"
    have_header sqlite3.h || missing="$missing libsqlite3-dev"
    have_header zlib.h || missing="$missing zlib1g-dev"
    # Loaded at run time by the methods that reason in formal logic; the others do without.
    have_header z3.h || missing="$missing libz3-dev"
    # What starts several processes that train together, and their library, loaded at run time.
    have mpirun || missing="$missing openmpi-bin"
    # What code that a model writes runs in; without it the methods that run such code refuse to.
    have bwrap || missing="$missing bubblewrap"
    # shellcheck disable=SC2086  # one word a package
    if [ -n "$missing" ]; then apt_install $missing; fi
}

check_mac_libraries() {
    have brew || die "Lyceum needs oneDNN. Install Homebrew (https://brew.sh), then run: brew install onednn"
    brew --prefix --installed onednn >/dev/null 2>&1 || die "oneDNN is missing. Run: brew install onednn"
    brew --prefix --installed z3 >/dev/null 2>&1 || say "Methods that reason in formal logic need Z3: brew install z3"
    have mpirun || say "Training in several processes needs Open MPI: brew install open-mpi"
    say "There is no bubblewrap for macOS: methods that run code which a model writes will refuse to."
}

check_swift
case "$(uname -s)" in
    Darwin) check_mac_libraries ;;
    *) install_libraries ;;
esac
if [ "${1:-all}" = all ]; then scripts/fetch-models.sh embedded; fi
