#!/usr/bin/env bash
# Puts the built program, the part of libtorch that it loads, the voices, manual pages and completions below a prefix, or
# takes them away again. Arguments: install|uninstall PREFIX. DESTDIR in the environment goes in front of every path.
set -euo pipefail
cd "$(dirname "$0")/.."

action=$1
root=${DESTDIR:-}$2
program=${CARGO_TARGET_DIR:-target}/release/tts
share=$root/share
bash_completion=$share/bash-completion/completions/tts
zsh_completion=$share/zsh/site-functions/_tts
fish_completion=$share/fish/vendor_completions.d/tts.fish

# The libraries that the program loads from outside the system's folders. They are large: one that is there already and as
# new stays, and where the file system can, the copy shares the blocks of the original.
install_libraries() {
    local libraries
    mapfile -t libraries < <(ldd "$program" | awk '$2 == "=>" && $3 !~ /^\/(usr\/)?lib/ { print $3 }' | grep -v '^not$')
    if ldd "$program" | grep 'not found' >&2; then
        echo "install: $program does not find these libraries: build it anew" >&2
        exit 1
    fi
    mkdir -p "$root/lib/tts"
    cp --dereference --update --remove-destination --reflink=auto "${libraries[@]}" "$root/lib/tts/"
    chmod 755 "$root/lib/tts"/*
}

install_voices() {
    local voice name
    for voice in models/*/; do
        compgen -G "$voice*.safetensors" >/dev/null || continue # a recipe alone
        name=$(basename "$voice")
        mkdir -p "$share/tts/voices/$name"
        install -m 644 "$voice"*.json "$voice"*.safetensors "$voice"CARD.md "$share/tts/voices/$name/"
    done
}

install_texts() {
    mkdir -p "$share/man/man1" "$share/doc/tts" "$work"/{man,bash,zsh,fish}
    "$program" generate man --out-dir "$work/man"
    for shell in bash zsh fish; do "$program" generate completions "$shell" --out-dir "$work/$shell"; done
    install -m 644 "$work"/man/*.1 "$share/man/man1/"
    install -D -m 644 "$work/bash/tts.bash" "$bash_completion"
    install -D -m 644 "$work/zsh/_tts" "$zsh_completion"
    install -D -m 644 "$work/fish/tts.fish" "$fish_completion"
    install -m 644 README.md "$share/doc/tts/"
    local licences=${LIBTORCH:-libtorch}/licenses
    if [[ -d $licences ]]; then cp -R "$licences" "$share/doc/tts/"; fi
}

case $action in
install)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    install_libraries
    install -D -m 755 -s "$program" "$root/bin/tts"
    install_voices
    install_texts
    echo "installed $root/bin/tts"
    ;;
uninstall)
    rm -rf "$root/lib/tts" "$share/doc/tts"
    for voice in models/*/; do rm -rf "$share/tts/voices/$(basename "$voice")"; done
    rmdir "$share/tts/voices" "$share/tts" 2>/dev/null || true # voices from elsewhere stay
    rm -f "$root/bin/tts" "$share/man/man1"/tts.1 "$share/man/man1"/tts-*.1
    rm -f "$bash_completion" "$zsh_completion" "$fish_completion"
    ;;
*)
    echo "usage: install.sh install|uninstall PREFIX" >&2
    exit 2
    ;;
esac
