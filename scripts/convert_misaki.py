#!/usr/bin/env python3
"""Takes misaki's US-English dictionaries and spaCy's tagger out of the crate misaki-rs into src/text/data, in a form that needs no loading.

    pip install numpy
    scripts/convert_misaki.py FOLDER_OF_MISAKI_RS    (cargo metadata tells where it lies)

gold.tsv, silver.tsv: `word<TAB>phonemes`, or `word<TAB>TAG=phonemes TAG=phonemes` where the reading depends on the part of
speech (none after `=`: no reading); sorted by the bytes of the words. tagger.bin, tagger.txt: weights in half precision, and tags.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np


def value(entry):
    if isinstance(entry, str):
        return entry
    return " ".join(f"{tag}={phonemes or ''}" for tag, phonemes in entry.items())


def main():
    source = Path(sys.argv[1]) / "data"
    target = Path(__file__).resolve().parent.parent / "src/text/data"
    for name in ("gold", "silver"):
        entries = json.loads((source / f"us_{name}.json").read_text(encoding="utf-8"))
        lines = sorted(f"{word}\t{value(entry)}\n".encode() for word, entry in entries.items())
        lines.sort(key=lambda line: line.split(b"\t")[0])
        (target / f"{name}.tsv").write_bytes(b"".join(lines))
    np.fromfile(source / "tagger.bin", "<f4").astype("<f2").tofile(target / "tagger.bin")
    shutil.copyfile(source / "tagger_labels.txt", target / "tagger.txt")


if __name__ == "__main__":
    main()
