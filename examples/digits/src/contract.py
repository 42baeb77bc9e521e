"""Is this the table that training counts on? contract.py CSV; exit 1 says no."""

import sys

from table import DIGITS, PIXELS, read_rows


def complaints(rows):
    if len(rows) < 1000:
        yield f"only {len(rows)} rows"
    for number, row in enumerate(rows, 1):
        if len(row) != PIXELS + 1:
            yield f"line {number}: {len(row)} columns instead of {PIXELS + 1}"
            continue
        if any(not 0 <= float(v) <= 16 for v in row[:-1]):
            yield f"line {number}: a pixel that is not in 0..16"
        if float(row[-1]) not in range(DIGITS):
            yield f"line {number}: '{row[-1]}' is no digit"


def main(path):
    rows = read_rows(path)
    found = list(complaints(rows))
    for line in found[:10]:
        print(line)
    print(f"{len(rows)} rows, {len(found)} complaints")
    sys.exit(1 if found else 0)


main(*sys.argv[1:])
