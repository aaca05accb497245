#!/usr/bin/env bash
# Installs Chromium and fetches the pages of MiniWoB++ out of a published Python package (it is only unpacked, never installed) into
# the cache. What is there is not touched, and no network is used.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

package=miniwob==1.1.0
sum=297006e84219d56ad037e843527ed773a4a82509dc43b6031ec4a3ad3e3e61d9
pages="$(cache_folder)/miniwob"

have bwrap || apt_install bubblewrap
have chromium || apt_install chromium
if [ -f "$pages/core/core.js" ]; then exit; fi
require_pip
mkdir -p "$(cache_folder)"
# Beside the target, so that the last step is a rename and nobody ever sees half of the pages.
scratch="$(mktemp -d "$(cache_folder)/.fetch.XXXXXX")"
trap 'rm -rf "$scratch"' EXIT
say "fetching MiniWoB++ from the Python package $package into $pages"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$scratch" "$package" >&2 \
    || die "pip could not fetch $package. Is there a network? To use a copy you have, put its folder miniwob/html at $pages"
[ "$(digest "$scratch"/*.whl)" = "$sum" ] || die "$package has another SHA-256 than this script says, so it was not used"
python3 -m zipfile -e "$scratch"/*.whl "$scratch/unpacked"
mv -T "$scratch/unpacked/miniwob/html" "$pages"
