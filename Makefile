# Lyceum: `make help` lists the targets.

SWIFT ?= swift
LYCEUM := .build/release/lyceum
BUILD := -c release
LINT := format lint --strict --parallel --recursive Sources Tests Package.swift
LIBRARIES := Tensors Text Models Inference Training Remote Laboratory Catalogue
FUZZ ?= 20000

.DEFAULT_GOAL := help
.PHONY: help setup embedders gemma suites browser build demo test bench claims fuzz docs lint format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## the system libraries and the embedded model
	@scripts/setup.sh

embedders: setup ## the sentence-embedding model all-MiniLM-L6-v2, about 90 MB; the tests use it
	@scripts/fetch-models.sh minilm

gemma: setup ## Gemma 3 270M, a second decoder, about 250 MB (optional; Gemma Terms of Use)
	@scripts/fetch-models.sh gemma3-270m

suites: setup ## HumanEval, 164 programming problems, 0.2 MB (optional; its tests need it)
	@scripts/fetch-suites.sh

browser: ## Chromium and the pages of MiniWoB++, about 400 MB (optional; tests of web pages need it)
	@scripts/fetch-browser.sh

build: setup ## .build/release/lyceum
	$(SWIFT) build $(BUILD)

demo: build ## a published method on the embedded model, against its baseline
	$(LYCEUM) demo

# Left to build for itself, `swift test` picks other compiler flags than `swift build`, and each undoes the other's work. One test at a
# time: the tests of limits in time must not wait for a model that another test keeps busy.
test: embedders ## all tests
	$(SWIFT) build $(BUILD) --build-tests
	$(SWIFT) test $(BUILD) --skip-build --no-parallel

bench: build ## speed and memory beside llama.cpp, OpenVINO GenAI, HF tokenizers and PyTorch
	scripts/bench.sh

claims: build ## every built method's experiment and the claims on learning: Docs/Claims.md and Docs/Claims.json
	$(LYCEUM) claims

fuzz: setup ## hostile input under the address sanitizer, FUZZ mutations a format
	LYCEUM_FUZZ=$(FUZZ) ASAN_OPTIONS=detect_leaks=0:handle_sigill=1 SWIFT_BACKTRACE=enable=no \
		$(SWIFT) test $(BUILD) --sanitize=address --scratch-path .build-fuzz --filter Fuzz

docs: setup ## the documentation, in .build/documentation
	rm -rf .build/documentation
	$(SWIFT) package --allow-writing-to-directory .build/documentation generate-documentation \
		$(addprefix --target ,$(LIBRARIES)) --enable-experimental-combined-documentation \
		--transform-for-static-hosting --output-path .build/documentation

lint: ## formatting and style
	$(SWIFT) $(LINT)

format: ## rewrite the sources in the project's format
	$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

clean: ## remove what was built; fetched models stay in the cache folder
	rm -rf .build .build-fuzz
