"""Reading and writing the tables that the steps hand to each other."""

import csv

import numpy as np

PIXELS = 64
DIGITS = 10


def read_rows(path):
    """The lines of a CSV file, as lists of text."""
    with open(path, newline="") as f:
        return list(csv.reader(f))


def write_rows(path, rows):
    with open(path, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)


def read_xy(path):
    """Features, and the digit in the last column."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    return table[:, :-1], table[:, -1].astype(int)
