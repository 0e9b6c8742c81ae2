#!/usr/bin/env bash
# Puts libtorch 2.11.0 (CPU) into the git-ignored folder libtorch/: headers in include/, shared objects in lib/ (all that
# a built program needs). They come from three PyPI wheels, pinned by hash; no Python package is installed. The wheel's
# CUDA libraries are left out: only two small ones that libtorch_cpu.so names stay. Everything is prepared in
# libtorch.tmp/ and renamed at the end. Does nothing when libtorch/ is there, or when LIBTORCH names another folder.
set -euo pipefail

version=2.11.0
root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/libtorch
work=$root/libtorch.tmp

say() { echo "setup_libtorch: $*" >&2; }
fail() { say "$@"; exit 1; }

if [[ -n ${LIBTORCH:-} && $LIBTORCH != "$target" ]]; then
    [[ -e $LIBTORCH/lib/libtorch_cpu.so ]] || fail "LIBTORCH=$LIBTORCH holds no lib/libtorch_cpu.so: correct it or unset it"
    say "using LIBTORCH=$LIBTORCH (it has to be version $version)"
    exit 0
fi
present() { [[ $(cat "$target/build-version" 2>/dev/null) == "$version" ]]; }  # torch-sys reads this file too
present && exit 0

[[ $(uname -sm) == "Linux x86_64" ]] || fail "only for x86-64 Linux: set LIBTORCH to a folder with libtorch $version"
for tool in python3 strip "${CC:-cc}"; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install python3-pip, gcc and binutils"
done
python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip: install python3-pip"

exec 9<"$root"
flock 9  # a second run waits here for the first
present && exit 0
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/wheels" "$work/lib"

say "downloading libtorch $version (about 540 MB)"
cat >"$work/wheels.txt" <<'WHEELS'
torch==2.11.0 --hash=sha256:7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
WHEELS
TMPDIR=$work python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --implementation cp --python-version 3.11 --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 \
    --requirement "$work/wheels.txt" --dest "$work/wheels" ||
    fail "the download failed (see above). Check the network or pip's index and run this again," \
        "or set LIBTORCH to a folder with libtorch $version"

say "unpacking"
python3 - "$work" <<'PYTHON' || fail "cannot unpack the wheels into $work: is the disk full? (1.5 GB are needed)"
import pathlib, re, shutil, sys, zipfile

work = pathlib.Path(sys.argv[1])
LIBRARY = re.compile(r".*/(lib(?:c10\.so|torch_cpu\.so|gomp\.so\.1|cudart\.so\.13|cupti\.so\.13))$")
LICENCE = re.compile(r"([^/]+)\.dist-info/.*?(LICENSE|NOTICE|License\.txt)$")
for wheel in work.glob("wheels/*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("/"):
                continue
            if name.startswith("torch/include/"):
                path = work / name.removeprefix("torch/")
            elif match := LIBRARY.match(name):
                path = work / "lib" / match[1]
            elif match := LICENCE.match(name):
                path = work / "licenses" / "-".join(match.groups())
            else:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(path, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    wheel.unlink()
PYTHON

# The wheel's libtorch.so is an empty forwarder to the CPU and the CUDA library: make one that names the CPU only.
cd "$work/lib"
strip --strip-unneeded ./*.so*
ln -s libgomp.so.1 libgomp.so
echo | "${CC:-cc}" -shared -x c - -o libtorch.so -Wl,-soname,libtorch.so \
    -L. -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,-rpath,'$ORIGIN' || fail "cannot link libtorch.so: is gcc complete?"
missing=$(ldd ./libtorch.so | grep 'not found' || true)
[[ -z $missing ]] || fail "libtorch does not load here: $missing"

rm -r "$work/wheels" "$work/wheels.txt"
echo "$version" >"$work/build-version"
rm -rf "$target"
mv -T "$work" "$target"
say "libtorch $version is in $target"
