"""The papers' numbers as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ..tables import published

LUKASIK = "Lukasik et al."


def table(where: str, **at) -> pd.DataFrame:
    """What a table has where its columns have these values."""
    rows = published("muller2019").query("`where` == @where")
    for name, value in at.items():
        rows = rows[rows[name] == value]
    return rows


def smoothed(rows: pd.DataFrame, **columns) -> pd.DataFrame:
    """A row for each smoothing that a table has `at`, on clean labels."""
    a = rows["at"].astype(float).to_numpy()
    method = ["label_smoothing" if value else "ce" for value in a]
    return pd.DataFrame({"method": method, "method_a": a, "rate": 0.0, "seed": 0, **columns})


def accuracy(dataset: str) -> pd.DataFrame:
    """Table 2."""
    rows = table("Table 2", dataset=dataset)
    return smoothed(rows, test_accuracy=rows.value.to_numpy() / 100, dataset=dataset)


def calibration() -> pd.DataFrame:
    """Table 3, CIFAR-100; with a temperature, hard labels alone."""
    rows = table("Table 3", dataset="cifar100")
    with_temperature = rows.series.notna()
    found = smoothed(rows[~with_temperature], ece=rows[~with_temperature].value.to_numpy(), dataset="cifar100")
    scaled = rows[with_temperature].value.item()
    return found.assign(ece_scaled=found.method.map({"ce": scaled}))


def students() -> pd.DataFrame:
    """Section 4, MNIST: students by the smoothing of their teachers."""
    rows = table("section 4").set_index(["series", "at"]).value
    teacher, student = (1 - rows[f"role={role}"] / 100 for role in ("teacher", "student"))
    found = pd.DataFrame({"method_a": student.index.astype(float), "test_accuracy": student.to_numpy()})
    found = found.assign(first_test_accuracy=teacher[student.index].to_numpy(), method_temperature=1.0)
    return found.assign(method="distillation", rate=0.0, dataset="mnist", seed=0)


def students_under_noise() -> pd.DataFrame:
    """Lukasik et al., CIFAR-100: of the teachers they give no accuracy."""
    rows = table(LUKASIK, metric="student's test accuracy (%)", dataset="cifar100").set_index("series").value / 100
    accuracies = [rows["teacher=ce"], rows["teacher=label_smoothing"]]
    found = pd.DataFrame({"method_a": [0.0, 0.1], "test_accuracy": accuracies, "method_temperature": 1.0})
    return found.assign(method="distillation", rate=0.2, dataset="cifar100", seed=0)


def under_noise(dataset: str) -> pd.DataFrame:
    """Lukasik et al., symmetric noise of 0.2: smoothing by 0.1 and corrections."""
    rows = table(LUKASIK, metric="test accuracy (%)", dataset=dataset)
    method = rows.series.str.removeprefix("method=")
    found = pd.DataFrame({"method": method, "test_accuracy": rows.value / 100, "rate": 0.2})
    return found.assign(method_a=method.map({"label_smoothing": 0.1}), dataset=dataset, seed=0)
