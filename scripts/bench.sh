#!/usr/bin/env bash
# Sets the peers up in the cache folder, once, then measures Lyceum beside them.
# Arguments go to Benchmarks/run.py.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

llama_version=0.3.36
peers="$(cache_folder)/peers"
environment="$peers/python"
llama="$peers/llama.cpp-$llama_version"

make_environment() {
    if cmp -s Benchmarks/requirements.txt "$environment/requirements.txt"; then return; fi
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    say "setting up the Python peers in $environment"
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
    # Last, so that an interrupted set-up is begun again.
    cp Benchmarks/requirements.txt "$environment/requirements.txt"
}

build_llama() {
    if [ -x "$llama/llama-server" ]; then return; fi
    scratch="$(mktemp -d "$peers/.llama.XXXXXX")"
    trap 'rm -rf "$scratch"' EXIT
    say "building llama.cpp out of llama-cpp-python $llama_version; this takes some minutes"
    PATH="$environment/bin:$PATH"
    pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-binary :all: \
        --dest "$scratch" "llama-cpp-python==$llama_version"
    tar -xzf "$scratch"/*.tar.gz -C "$scratch"
    {
        cmake -S "$scratch"/llama_cpp_python-*/vendor/llama.cpp -B "$scratch/build" -G Ninja \
            -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF \
            -DBUILD_SHARED_LIBS=OFF \
            && cmake --build "$scratch/build" --target llama-bench llama-batched-bench llama-completion llama-server
    } >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log" >&2; die "llama.cpp did not build"; }
    mkdir -p "$scratch/tools"
    cp "$scratch"/build/bin/{llama-bench,llama-batched-bench,llama-completion,llama-server} "$scratch/tools"
    rm -rf "$llama"
    mv "$scratch/tools" "$llama"
}

have python3 || apt_install python3
# llama.cpp is built with it, and so are PyTorch's compiled loops.
have g++ || have clang++ || apt_install g++
mkdir -p "$peers"
make_environment
build_llama
exec "$environment/bin/python" Benchmarks/run.py --llama "$llama" "$@"
