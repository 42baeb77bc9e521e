"""Unpack the UCI optical digits that scikit-learn ships: fetch.py OUT"""

import gzip
import os
import shutil
import sys

import sklearn.datasets


def main(out):
    source = os.path.join(os.path.dirname(sklearn.datasets.__file__), "data", "digits.csv.gz")
    with gzip.open(source, "rb") as packed, open(out, "wb") as f:
        shutil.copyfileobj(packed, f)
    print(f"unpacked {source}")


main(*sys.argv[1:])
