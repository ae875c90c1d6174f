"""How well `nlcore audit` finds wrong labels that are known, beside cleanlab alone and each signal alone.

    python benchmarks/audit.py [--only mnist] [--seeds 3] [--out book/audit.json]

MNIST with pair noise, CIFAR-10 with the labels that people gave (Wei et al. 2022), drawn noise of several laws, and the
test labels that voters rejected (Northcutt et al. 2021). Then, in some of these cases, what a mentor adds that has
learned from a hundred checked labels. Rows that the file has are not made again, so it may be stopped and started. A
second of `seconds` is one of a processor, whatever else the machine does.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from bench import commit, rounded

from nlcore import data, home, noise
from nlcore.audit import signals
from nlcore.audit.folds import Plan, mentored, predicted
from nlcore.audit.judge import judged
from nlcore.data.duplicates import digests
from nlcore.data.labels import joined
from nlcore.files import write_whole
from nlcore.machine import machine
from nlcore.training.device import peak_memory_mb

FOLDS = 3
CHECKED = 100  # labels, from which a mentor learns


class Case(NamedTuple):
    """Images uint8 (N, C, H, W), given labels and which of them are wrong (N,); the true ones (N,) where they are
    known."""

    x: np.ndarray
    given: np.ndarray
    wrong: np.ndarray
    true: np.ndarray | None = None


def drawn(dataset: str, law: noise.Noise, count: int) -> Callable[[int], Case]:
    """Images of a data set with noise drawn for them, so many labels."""

    def case(seed: int) -> Case:
        found = data.load(dataset)
        images = count // (1 + round(law.copies or 0))
        rows = np.random.default_rng([seed, 7]).permutation(len(found.train.y))[:images]
        y = found.train.y.numpy()[rows]
        pairs = noise.draw(law.on(found, seed), y.astype(np.int16), found.K, [seed, 8])
        given, true = pairs.label.astype(np.int64), y[pairs.row]
        return Case(found.train.x.numpy()[rows][pairs.row], given, given != true, true)

    return case


def human(labels: str, count: int) -> Callable[[int], Case]:
    """Images of CIFAR-10 with the labels of a set of CIFAR-10N, joined by the hash of an image."""

    def case(seed: int) -> Case:
        found, people = data.load("cifar10").train, joined("cifar10n")
        rows = np.random.default_rng([seed, 7]).permutation(len(found.y))[:count]
        given, true = people[labels][rows], people["clean"][rows]
        return Case(found.x.numpy()[rows], given, given != true, true)

    return case


def voted(dataset: str) -> Callable[[int], Case]:
    """The test images of a data set; wrong are those whose label at least four of five voters rejected, as the book
    shows them."""

    def case(seed: int) -> Case:
        found = data.load(dataset).test
        listed = json.loads((home() / "book" / "wrong_labels.json").read_text())["pictures"]
        rejected = {own["sha256"] for own in listed if own["data"] == dataset and own["split"] == "test"}
        shown = digests(np.ascontiguousarray(found.x.numpy().transpose(0, 2, 3, 1)))
        wrong = np.isin(shown, [*rejected])
        assert wrong.sum() == len(rejected) > 0
        return Case(found.x.numpy(), found.y.numpy(), wrong)

    return case


LAWS = {
    "symmetric, 0.2": noise.SymmetricExclusive(0.2),
    "pair, 0.2": noise.PairFlip(0.2),
    "uniform, one added": noise.Uniform(1.0),
}
CASES = {("mnist", "pair, 0.05"): drawn("mnist", noise.PairFlip(0.05), 10_000)}
CASES |= {("cifar10", f"people, {labels}"): human(labels, 10_000) for labels in ("worst", "aggregate")}
CASES |= {(own, "voted test errors"): voted(own) for own in ("mnist", "cifar10")}
CASES |= {(own, name): drawn(own, law, 5000) for name, law in LAWS.items() for own in ("mnist", "fashion")}
WITH_CHECKED = {at: case for at, case in CASES.items() if at[1] in ("pair, 0.05", "people, worst", "people, aggregate")}
WITH_CHECKED |= {at: case for at, case in CASES.items() if at[0] == "fashion" and at[1] in LAWS}


def measured(case: Case, seed: int) -> dict:
    """What an audit finds, and what it costs."""
    K, start = int(case.given.max()) + 1, time.process_time()
    seen = predicted(case.x, case.given, K, Plan(FOLDS, seed=seed, device="cpu"))
    trained = time.process_time()
    found = signals.doubts(seen, case.given)
    cleanlab = found.pop("cleanlab")
    score = signals.together(found)
    told = time.process_time()
    estimate, low, high = signals.rate(seen.probability, case.given)
    every = found | {"together": score, "cleanlab": cleanlab}
    first = signals.places_from_worst(score) < 100
    return {
        "labels": len(case.given),
        "wrong": int(case.wrong.sum()),
        "agreement": (seen.probability.argmax(1) == case.given).mean(),
        "rate": case.wrong.mean(),
        "estimate": estimate,
        "low": low,
        "high": high,
        "cleanlab_estimate": by_cleanlab(seen.probability, case.given),
        "expected": found["matrix"][first].mean(),
        "seconds": trained - start,
        "seconds_signals": told - trained,
        "memory_mb": peak_memory_mb(torch.device("cpu")),
        "found": {name: judged(signal, case.wrong) for name, signal in every.items()},
    }


def with_mentor(case: Case, seed: int) -> dict:
    """What a mentor adds that has learned from some checked labels, judged on the others."""
    K, plan = int(case.given.max()) + 1, Plan(FOLDS, seed=seed, device="cpu")
    index = np.random.default_rng([seed, 9]).permutation(len(case.given))[:CHECKED]
    weight = mentored(case.x, case.given, K, index, case.true[index], plan)
    found = signals.doubts(predicted(case.x, case.given, K, plan), case.given, weight)
    scores = {"mentor": found["mentor"], "without": signals.together(found)}
    scores["with"] = signals.together(found, (*signals.TOGETHER, "mentor"))
    told = {name: judged(np.delete(score, index), np.delete(case.wrong, index)) for name, score in scores.items()}
    return {"labels": len(case.given), "checked": CHECKED, "found": told}


def by_cleanlab(p: np.ndarray, given: np.ndarray) -> float:
    """The share of wrong labels that cleanlab estimates."""
    from cleanlab.count import num_label_issues

    return num_label_issues(given, p) / len(given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose data or noise has this in its name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=home() / "book" / "audit.json")
    args = parser.parse_args()
    told = json.loads(args.out.read_text()) if args.out.exists() else {"rows": [], "checked": []}
    told |= {"machine": machine(), "commit": commit(), "date": str(date.today()), "folds": FOLDS}
    for part, cases, of in (("rows", CASES, measured), ("checked", WITH_CHECKED, with_mentor)):
        for seed in range(args.seeds):  # so that each case has one soon
            for (dataset, law), case in cases.items():
                there = any((row["data"], row["noise"], row["seed"]) == (dataset, law, seed) for row in told[part])
                if there or args.only not in f"{dataset}, {law}":
                    continue
                start = time.process_time()
                told[part].append(rounded({"data": dataset, "noise": law, "seed": seed} | of(case(seed), seed)))
                write_whole(args.out, json.dumps(told, indent=1) + "\n")
                print(f"{part}: {dataset}, {law}, seed {seed}: {time.process_time() - start:.0f} seconds", flush=True)


if __name__ == "__main__":
    main()
