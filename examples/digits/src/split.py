"""Cut the data in two, the same share of every digit: split.py CSV TRAIN TEST"""

import argparse
import random

from table import read_rows, write_rows


def split(rows, share, seed):
    rng = random.Random(seed)
    by_digit = {}
    for row in rows:
        by_digit.setdefault(row[-1], []).append(row)
    train, test = [], []
    for _, group in sorted(by_digit.items()):
        rng.shuffle(group)
        cut = round(len(group) * share)
        test += group[:cut]
        train += group[cut:]
    rng.shuffle(train)
    return train, test


def main():
    p = argparse.ArgumentParser()
    p.add_argument("csv")
    p.add_argument("train")
    p.add_argument("test")
    p.add_argument("--share", type=float, required=True)
    p.add_argument("--seed", type=int, required=True)
    a = p.parse_args()
    train, test = split(read_rows(a.csv), a.share, a.seed)
    write_rows(a.train, train)
    write_rows(a.test, test)
    print(f"{len(train)} images to learn from, {len(test)} to test with")


main()
