"""Train a support vector machine: train.py FEATURES MODEL METRICS --C C --gamma G"""

import argparse
import json
import os

import joblib
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from table import read_xy

FOLDS = 5


def main():
    p = argparse.ArgumentParser()
    p.add_argument("features")
    p.add_argument("model")
    p.add_argument("metrics")
    p.add_argument("--C", type=float, required=True)
    p.add_argument("--gamma", type=float, required=True)
    a = p.parse_args()

    x, y = read_xy(os.path.join(a.features, "train.csv"))
    scores = []
    for fold, (fit, held) in enumerate(StratifiedKFold(FOLDS).split(x, y), 1):
        score = SVC(C=a.C, gamma=a.gamma).fit(x[fit], y[fit]).score(x[held], y[held])
        print(f"fold {fold} of {FOLDS}: accuracy {score:.4f}", flush=True)
        scores.append(score)

    model = SVC(C=a.C, gamma=a.gamma).fit(x, y)
    joblib.dump(model, a.model)
    with open(a.metrics, "w") as f:
        json.dump(
            {
                "cv_accuracy": round(sum(scores) / FOLDS, 4),
                "cv_worst": round(min(scores), 4),
                "support_vectors": int(model.n_support_.sum()),
            },
            f,
            indent=2,
        )
        f.write("\n")


main()
