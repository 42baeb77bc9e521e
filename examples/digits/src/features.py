"""What the model sees: features.py TRAIN TEST OUTDIR"""

import os
import sys

import numpy as np

from table import read_xy


def features(pixels):
    """Pixels in 0..1, and the mean of every row and every column."""
    x = pixels / 16.0
    square = x.reshape(len(x), 8, 8)
    return np.hstack([x, square.mean(axis=1), square.mean(axis=2)])


def main(train, test, out):
    for name, path in (("train.csv", train), ("test.csv", test)):
        pixels, digit = read_xy(path)
        table = np.column_stack([features(pixels), digit])
        np.savetxt(os.path.join(out, name), table, fmt="%.6g", delimiter=",")
        print(f"{name}: {table.shape[0]} rows, {table.shape[1] - 1} features")


main(*sys.argv[1:])
