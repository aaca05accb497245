# Shared by the set-up scripts; sourced, never run.

# Where everything that is not part of the repository is kept.
cache_folder() {
    printf '%s\n' "${LYCEUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lyceum}"
}

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The SHA-256 of a file in hexadecimal.
digest() {
    if have sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Installs Debian packages, with sudo when not root. Says what to type when it can't.
apt_install() {
    local prefix=""
    if ! have apt-get; then
        die "missing: $*. This is not a Debian system, so install the same libraries with its own package manager."
    fi
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || die "missing: $*. As root, run: apt-get install $*"
        prefix="sudo"
    fi
    say "installing $*"
    local install="$prefix env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $*"
    # A bare machine has no package lists yet, so the first try may not know the names.
    $install >/dev/null 2>&1 || { $prefix apt-get update -q >&2 && $install >&2; } \
        || die "apt-get could not install: $*. Is there a network, and does /etc/apt name a Debian mirror?"
}

# Installs Python's pip where it is missing: what set-up fetches comes out of Python packages.
require_pip() {
    have python3 && python3 -m pip --version >/dev/null 2>&1 && return
    [ "$(uname -s)" != Darwin ] || die "fetching needs Python's pip. Run: brew install python"
    apt_install python3-pip
}
