# The short way to everything: `make hello` goes from a fresh clone to speech in hi.wav, `make test` runs what CI runs.
# Both first set up what is missing (system packages, libtorch in libtorch/). Later runs need no network.
# `make install` puts the built program below PREFIX, so that it runs from any folder and without this one.
# Linting uses the release profile, so that libtorch's bindings compile once.

PREFIX ?= /usr/local

.PHONY: hello test build install uninstall lint format setup clean distclean

hello: build
	cargo run --release --quiet -- hello --out hi.wav

test: lint
	@scripts/setup_system.sh --tests
	cargo test --release

build: setup
	cargo build --release

# Only builds where nothing is built yet: `make build && sudo make install` needs no Rust for root.
install:
	@test -x $${CARGO_TARGET_DIR:-target}/release/tts || $(MAKE) build
	@DESTDIR="$(DESTDIR)" scripts/install.sh install "$(PREFIX)"

uninstall:
	@DESTDIR="$(DESTDIR)" scripts/install.sh uninstall "$(PREFIX)"

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
