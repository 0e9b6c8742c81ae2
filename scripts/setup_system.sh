#!/usr/bin/env bash
# Checks for the system packages that the build needs: compilers, pip, the headers of ALSA (playback) and of Opus; with --tests also
# for the sound server that the tests play to. What is missing is installed through apt when run as root; otherwise the command
# to run is printed. Instant when all is there.
set -euo pipefail

packages=()
for tool in cc c++ make strip; do
    command -v "$tool" >/dev/null || packages+=(build-essential)
done
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip)
command -v pkg-config >/dev/null || packages+=(pkg-config)
pkg-config --exists alsa 2>/dev/null || packages+=(libasound2-dev)
pkg-config --exists opus 2>/dev/null || packages+=(libopus-dev)
if [[ ${1-} == --tests ]]; then
    command -v pulseaudio >/dev/null || packages+=(pulseaudio)
fi

if ((${#packages[@]})); then
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        echo "setup_system: missing packages (Debian's names). Run: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "setup_system: installing ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null; } || {
        echo "setup_system: apt-get failed (see above). Install these by hand: ${packages[*]}" >&2
        exit 1
    }
fi

command -v cargo >/dev/null || {
    echo "setup_system: cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2
    exit 1
}
