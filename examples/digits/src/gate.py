"""Is the model good enough? gate.py METRICS --min-accuracy A; exit 1 says no."""

import argparse
import json
import sys


def main():
    p = argparse.ArgumentParser()
    p.add_argument("metrics")
    p.add_argument("--min-accuracy", type=float, required=True)
    a = p.parse_args()
    with open(a.metrics) as f:
        accuracy = json.load(f)["accuracy"]
    good = accuracy >= a.min_accuracy
    print(f"accuracy {accuracy} {'reaches' if good else 'is below'} {a.min_accuracy}")
    sys.exit(0 if good else 1)


main()
