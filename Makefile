# The short way to everything: `make hello` goes from a fresh clone to speech in hi.wav, `make test` runs what CI runs.
# Both first set up what is missing (system packages, libtorch in libtorch/). Later runs need no network.
# Linting uses the release profile, so that libtorch's bindings compile once.

.PHONY: hello test build lint format setup clean distclean

hello: build
	cargo run --release --quiet -- hello --out hi.wav

test: lint
	@scripts/setup_system.sh --tests
	cargo test --release

build: setup
	cargo build --release

lint: setup
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings

format:
	cargo fmt

setup:
	@scripts/setup_system.sh
	@scripts/setup_libtorch.sh

clean:
	cargo clean
	rm -f hi.wav

distclean: clean
	rm -rf libtorch libtorch.tmp
