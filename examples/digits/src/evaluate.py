"""Test the model: evaluate.py MODEL FEATURES PICTURE METRICS"""

import json
import os
import sys

import joblib
import numpy as np

from table import DIGITS, read_xy

CELL = 44
LEFT, TOP = 64, 84


def confusion(truth, said):
    table = np.zeros((DIGITS, DIGITS), dtype=int)
    for t, s in zip(truth, said):
        table[t, s] += 1
    return table


def text(x, y, words, size=13, colour="#333", anchor="middle"):
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}">{words}</text>'
    )


def cell(row, col, count, most):
    """One square: right answers in green, wrong ones in red, the more the darker."""
    x, y = LEFT + col * CELL, TOP + row * CELL
    if row == col:
        share = count / most if most else 0
        fill, ink = f"rgb({int(235 - 190 * share)},{int(245 - 100 * share)},{int(238 - 160 * share)})", "#fff"
    else:
        share = min(1.0, count / 5)
        fill, ink = f"rgb(255,{int(250 - 160 * share)},{int(250 - 170 * share)})", "#611"
    parts = [f'<rect x="{x}" y="{y}" width="{CELL - 2}" height="{CELL - 2}" rx="4" fill="{fill}"/>']
    if count:
        parts.append(text(x + CELL // 2 - 1, y + CELL // 2 + 4, count, colour=ink))
    return parts


def picture(table, accuracy):
    width, height = LEFT + DIGITS * CELL + 24, TOP + DIGITS * CELL + 24
    most = int(table.diagonal().max())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(LEFT, 30, f"{int(table.sum())} images, {100 * accuracy:.1f}% read right", 17, anchor="start"),
        text(LEFT, 52, "rows: the digit that was written; columns: what the model says", 12, "#777", "start"),
    ]
    for d in range(DIGITS):
        parts.append(text(LEFT + d * CELL + CELL // 2 - 1, TOP - 8, d))
        parts.append(text(LEFT - 16, TOP + d * CELL + CELL // 2 + 4, d))
        for s in range(DIGITS):
            parts += cell(d, s, int(table[d, s]), most)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main(model_path, features, out, metrics):
    x, truth = read_xy(os.path.join(features, "test.csv"))
    table = confusion(truth, joblib.load(model_path).predict(x))
    right = table.diagonal()
    recall = right / table.sum(axis=1)
    accuracy = float(right.sum() / table.sum())
    with open(out, "w") as f:
        f.write(picture(table, accuracy))
    with open(metrics, "w") as f:
        json.dump(
            {
                "accuracy": round(accuracy, 4),
                "images": int(table.sum()),
                "wrong": int(table.sum() - right.sum()),
                "worst_digit": int(recall.argmin()),
                "worst_recall": round(float(recall.min()), 4),
            },
            f,
            indent=2,
        )
        f.write("\n")
    print(f"accuracy {accuracy:.4f} on {int(table.sum())} images")


main(*sys.argv[1:])
