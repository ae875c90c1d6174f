"""The numbers that sentences of the chapter on data, batches and learning rates name, as texts: accuracies in percent,
leads in points with their 95 % intervals; `(not run)` where a run is missing."""

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ..effects import mean, points
from ..texts import NOT_RUN, number
from .exhibits import figure_of_paper
from .exhibits_of_training import (
    LARGE,
    SMALL,
    as_good_as_clean,
    chosen_rates,
    clean_needed,
    steps_in_words,
    with_ratio,
    worth,
)
from .measured import apart_at_equal_ratio, fall_of_infinite_batch, gain_by_batch, largest_jump, less_under_cosine
from .published import fig9
from .sentences_of_noise import effect, lead


def training(tables: dict[str, pd.DataFrame], measured: pd.DataFrame, rule: str) -> dict[str, str]:
    """What the chapter says, of frames with a row per run and evaluation by experiment, and of measured gradients."""
    rows = {name: select(table, rule) for name, table in tables.items()}
    sizes = rows["data_size"]
    return (
        of_gradients(measured)
        | of_sizes(sizes, tables["data_size"])
        | of_longer(rows["longer"], sizes, tables["longer"])
        | of_onset(rows["onset"])
        | of_batches(rows["batch_size"])
        | of_rates(rows["learning_rate"], tables["learning_rate"])
        | of_ratios(rows["rate_and_batch"])
    )


def of_gradients(measured: pd.DataFrame) -> dict[str, str]:
    """Cosines to the clean gradient at the first and the last number of steps, and lengths."""
    said = {"early": f"{measured.steps.min()}", "late": f"{measured.steps.max()}"}
    for name, steps in (("early", measured.steps.min()), ("late", measured.steps.max())):
        for alpha in (0, 10, 20, 50):
            here = measured[(measured.steps == steps) & (measured.alpha == alpha)]
            said |= {f"{name}_cosine_{alpha}_{one.batch}": f"{one.cosine:.2f}" for one in here.itertuples()}
            said[f"{name}_limit_{alpha}"] = f"{here.limit.iloc[0]:.2f}"
            said[f"{name}_length_{alpha}"] = f"{here.length.iloc[0]:.2f}"
    off = (measured.cosine - measured.expected).abs().max()
    return said | {"formula_off": f"{off:.2f}"}


def of_sizes(sizes: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """What 90 % takes at each alpha, ours and the paper's; what the most clean examples are worth; when to stop."""
    said = {"data": words.listed(sizes.dataset.unique()), "network": words.listed(sizes.model.unique())}
    for name, n in (("ours", clean_needed(sizes)), ("paper", fig9().astype(float))):
        costs = worth(n).reindex([0, 10, 20, 50])
        for alpha, row in costs.iterrows():
            said[f"{name}_clean_{alpha}"] = number(row["clean examples"], ",.0f")
            said[f"{name}_labels_{alpha}"] = number(row["labels in all"], ",.0f")
            said[f"{name}_worth_{alpha}"] = number(row["labels for a clean one"], ",.0f")
    for alpha in (0, 10, 20, 50):
        said[f"all_{alpha}"] = number(points(sizes, alpha=alpha, images=sizes.images.max()))
    replaced = as_good_as_clean(sizes)["as good as clean ones alone"]
    said |= {f"replaced_{alpha}": replaced.get(str(alpha)) or NOT_RUN for alpha in (10, 20, 50)}
    said["images"] = f"{sizes.images.max():,}"
    said["jump"] = effect(sizes, largest_jump)
    return said | of_stopping(table, sizes)


def of_stopping(table: pd.DataFrame, sizes: pd.DataFrame) -> dict[str, str]:
    """What the best evaluation on noisy validation labels gains over the last one, where it gains most."""
    last = select(table, "last").groupby(["alpha", "images"]).test_accuracy.mean()
    chosen = select(table, "noisy validation").groupby(["alpha", "images"]).test_accuracy.mean()
    gain = 100 * (chosen - last)
    alpha, images = gain.idxmax()
    large = gain[gain.index.get_level_values("images") == sizes.images.max()]
    found = {"stop_gain": f"{gain.max():.1f}", "stop_alpha": f"{alpha:g}", "stop_images": f"{images:,}"}
    return found | {"stop_large": f"{large.abs().max():.1f}"}


def of_longer(longer: pd.DataFrame, sizes: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """What more steps do at alpha = 10, by the number of clean examples."""
    said, clean = {"longer_steps": steps_in_words(longer)}, worth(clean_needed(sizes))["clean examples"].get(0)
    for images in (2000, 5000, 10_000):
        at = {"alpha": 10, "images": images}
        long, short = longer[longer.images == images], sizes[(sizes.images == images) & (sizes.alpha == 10)]
        said |= {f"short_{images}": number(points(sizes, **at)), f"long_{images}": number(points(longer, **at))}
        said[f"short_passes_{images}"] = number(short.epoch.mean())
        said[f"long_passes_{images}"] = number(long.epoch.mean())
        said[f"wrong_{images}"] = number(100 * long.train_wrong.mean())
        said[f"short_wrong_{images}"] = number(100 * short.train_wrong.mean())
        said[f"right_{images}"] = number(100 * long.train_right.mean())
        said[f"best_{images}"] = number(points(select(table, "best on test (leaks)"), **at))
        said[f"stopped_{images}"] = number(points(select(table, "noisy validation"), **at))
    said["short_steps_2000"] = number(mean(sizes, "steps", alpha=10, images=2000), ",.0f")
    said["worth_at_most"] = number(10_000 * 11 / clean, ",.0f") if clean else NOT_RUN
    return said


def of_onset(onset: pd.DataFrame) -> dict[str, str]:
    """Accuracies at the smaller and the larger constant rate, by the number of clean examples."""
    low, high = onset.lr.min(), onset.lr.max()
    said = {"low_rate": f"{low:g}", "high_rate": f"{high:g}"}
    for images in (1000, 10_000, 20_000):
        said[f"low_{images}"] = number(points(onset, lr=low, images=images))
        said[f"high_{images}"] = number(points(onset, lr=high, images=images))
    return said


def of_batches(batches: pd.DataFrame) -> dict[str, str]:
    """Accuracies and gains by batch size under both schedules, ours and the paper's at a constant rate."""
    said, plain = {"batch_network": words.listed(batches.model.unique())}, batches[batches.method == "ce"]
    for schedule in ("constant", "cosine"):
        here = plain[plain.schedule == schedule]
        for alpha in (0, 10, 20, 50):
            said[f"{schedule}_gain_{alpha}"] = lead(here[here.alpha == alpha], LARGE, SMALL, by="batch")
            for batch in (SMALL, 128, LARGE):
                said[f"{schedule}_{batch}_{alpha}"] = number(points(here, batch=batch, alpha=alpha))
    said["constant_gain"] = effect(batches, lambda rows: gain_by_batch("constant", rows))
    said |= {"less_under_cosine": effect(batches, less_under_cosine)}
    said["infinite_fall"] = effect(batches, fall_of_infinite_batch, ".2f")
    said["infinite_50"] = number(points(batches, method="h_alpha", method_alpha=50, schedule="constant"))
    paper = figure_of_paper("Fig. 11").set_index(["of", "at"]).value
    for batch in (SMALL, 128, LARGE):
        said |= {f"paper_{batch}_{alpha}": f"{paper[str(batch), alpha]}" for alpha in (0, 50)}
    return said | {f"paper_infinite_{alpha}": f"{paper['h_alpha', alpha]}" for alpha in (0, 50)}


def of_rates(rates: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """Best rates at the least and the most noise, and what the wrong one costs."""
    tops = {"least": rates.alpha.min(), "most": rates.alpha.max()}
    said, chosen = {"most_noise": f"{tops['most']:g}"}, chosen_rates(table)
    for name, alpha in tops.items():
        best = chosen["best on test (leaks)"]
        said[f"best_rate_{name}"] = f"{best[best.alpha == alpha].lr.iloc[0]:g}"
        said[f"best_{name}"] = number(points(best, alpha=alpha))
        for place, rate in (("low", rates.lr.min()), ("high", rates.lr.max())):
            said[f"{place}_at_{name}"] = number(points(rates, alpha=alpha, lr=rate))
    said |= {"lowest": f"{rates.lr.min():g}", "highest": f"{rates.lr.max():g}"}
    return said | {"equally_long_most": number(points(chosen["equally long"], alpha=tops["most"]))}


def of_ratios(rows: pd.DataFrame) -> dict[str, str]:
    """How far runs with the same rate per image agree, and the spread of all."""
    means = 100 * with_ratio(rows).groupby(["ratio", "batch"]).test_accuracy.mean()
    spans = means.groupby("ratio").agg(lambda values: values.max() - values.min())
    said = {"ratio_apart": f"{spans.max():.1f}", "ratio_range": f"{means.max() - means.min():.0f}"}
    said |= {"ratio_low": number(means.min()), "ratio_best": number(means.max())}
    return said | {"ratio_share": effect(rows, lambda one: 100 * apart_at_equal_ratio(one), ".0f")}
