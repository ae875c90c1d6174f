"""What helps, and when: gains are paired with cross entropy of the same recipe; nothing is said that was not run."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from nlcore import words
from nlcore.book import helps
from nlcore.papers.scoreboard import NOISY


def history(
    gains: dict[str, tuple[float, float]], noise: str = "symmetric_inclusive", rate: float = 0.4
) -> pd.DataFrame:
    """Two evaluations of three seeds: cross entropy is at 70 % on noisy validation's choice and at 50 % at the end, and
    others are so many points ahead of it, at the end and there."""
    rows = []
    for seed in range(3):
        for name, (last, stopped) in ({"ce": (0.0, 0.0)} | gains).items():
            base = {
                "key": f"{name}{seed}{noise}",
                "name": name,
                "seed": seed,
                "noise": noise,
                "rate": rate,
                "model": "m",
            }
            level = 0.01 * seed  # seeds differ by more than methods do
            rows.append(base | {"step": 1, "noisy_validation": 0.6, "test_accuracy": 0.7 + level + stopped / 100})
            rows.append(base | {"step": 2, "noisy_validation": 0.4, "test_accuracy": 0.5 + level + last / 100})
    return pd.DataFrame(rows)


FOUND = helps.gains({"FasTEN": history({"fasten": (20.0, 2.0), "ce": (0.0, 0.0)})})


def test_a_gain_is_paired_by_seed_and_taken_under_each_rule():
    of = FOUND[FOUND.method == "fasten"].set_index("rule")
    assert of.effect.round(6).to_dict() == {"last": 20.0, NOISY: 2.0}
    assert (of.high - of.low).max() < 1e-9  # whatever seeds have in common is gone
    plain = FOUND[FOUND.method == "ce"].set_index("rule")
    assert plain.effect.round(6).to_dict() == {"last": 51.0, NOISY: 71.0} and plain.low["last"] < 51


def test_the_table_of_a_noise_has_a_row_for_each_method_and_the_best_when_stopped_first():
    more = history({"fasten": (1.0, 1.0), "glc": (3.0, 3.0)}, "pair_flip")
    found = helps.gains({"FasTEN": pd.concat([history({"fasten": (20.0, 2.0)}), more])})
    table = helps.gained(found, "pair, 0.4")
    assert table.method.tolist() == [words.method("glc"), words.method("fasten")]
    assert table["at the end"][0].startswith("+3.0") and {*table.needs} == {"trusted labels"}
    assert helps.gained(found, "symmetric, 0.8").values.tolist() == [[helps.NOT_RUN]]


def test_stopping_is_paired_by_seed():
    row = helps.stopping({"FasTEN": history({})}).loc[("symmetric, 0.4", "FasTEN")]
    assert row["gained"] == "+20.0 (20.0 to 20.0)" and row["stopped early"].startswith("71.0 (")


def test_by_rate_has_what_was_run_alone():
    table = helps.by_rate(FOUND)
    assert [*table.index] == ["symmetric, 0.4"] and [*table] == ["cross entropy, %", "FasTEN, ahead"]


def test_the_best_is_named_and_one_that_is_given_the_truth_is_not_best():
    rows = history({"forward": (30.0, 30.0), "gce": (10.0, 1.0), "mae": (5.0, 3.0), "glc": (12.0, 9.0)})
    said = helps.findings(helps.gains({"robust losses": rows}))
    assert said["best_symmetric_4_last"] == words.method("glc") and said["whose_symmetric_4_last"] == words.method(
        "gce"
    )
    assert said["whose_symmetric_4_noisy"] == words.method("mae")
    assert said["recipe_symmetric_4_last"] == "robust losses" and float(said["rival_symmetric_4_last"].split(" ")[0])
    assert said["gain_symmetric_4_last"].startswith("+12.0") and said["best_pair_4_last"] == helps.NOT_RUN


def test_mentors_are_held_against_self_paced_learning():
    said = helps.mentors({"MentorNet": history({"self_paced": (5.0, 1.0), "DD": (8.0, 0.0)})})
    assert said["DD_over_self_paced_last"].startswith("+3.0") and said["DD_over_self_paced_noisy"].startswith("-1.0")
    assert said["PD_over_self_paced_last"] == helps.NOT_RUN


def test_smoothing_is_held_against_cross_entropy_of_the_same_noise():
    rows = history({"label_smoothing": (4.0, 2.0)}).rename(columns={"name": "method"})
    rows["method_a"] = rows.method.map({"label_smoothing": 0.1})
    table = helps.smoothing(rows)
    assert table.loc[("symmetric, 0.4", "0.1")].tolist() == ["+4.0 (4.0 to 4.0)", "+2.0 (2.0 to 2.0)"]


def test_what_a_method_needs():
    needs = {
        "forward": "the true T",
        "gce": "nothing",
        "DD": "trusted labels and the noise rate",
        "PD": "the noise rate",
        "l2rw": "trusted labels",
    }
    assert {method: helps.needs(method) for method in needs} == needs


def test_every_method_that_is_compared_has_a_name():
    frames = helps.comparable("laptop", "never", "cpu")
    assert {name for rows in frames.values() for name in rows.name} <= {*words.METHODS}


def test_gains_on_several_data_sets_are_not_put_together(monkeypatch):
    own = {"zhang2018.field": "photos"}

    def made_up(name, *_, **__):
        rows = history({"gce": (1.0, 1.0)}).assign(method="ce", dataset=own.get(name, "clothes"))
        return rows.assign(key=name + rows.key)

    monkeypatch.setattr(helps.papers, "frame", made_up)
    monkeypatch.setattr(helps.papers, "growing", made_up)
    monkeypatch.setattr(helps, "named", lambda rows: rows.method)
    frames = helps.comparable("gpu", "never", "cpu")
    assert {*frames["robust losses"].dataset} == {"clothes"}
    assert not frames["robust losses"].key.str.startswith("zhang2018.field").any()


def test_the_price_of_a_mentor_has_no_spread_of_a_single_seed():
    rows = history({}).rename(columns={"name": "method"}).assign(trusted=10)
    more = rows[rows.seed == 1].assign(trusted=2)
    table = helps.price_of_a_mentor(pd.concat([rows, more.assign(key="another")]))
    assert table.loc["2"].to_dict() == {"at the end": "51.0", "stopped early": "71.0"}
    assert table.loc["10", "at the end"] == "51.0 ± 1.0"


def test_a_gain_beyond_an_edge_is_an_arrow_there():
    rows = history({"fasten": (80.0, 1.0), "gce": (-80.0, 1.0)})
    [ax] = helps.picture(helps.gains({"FasTEN": rows}), "symmetric, 0.4").axes
    arrows = {line.get_marker(): line.get_xdata()[0] for line in ax.lines if line.get_marker() in ("<", ">")}
    assert arrows == dict(zip("<>", ax.get_xlim(), strict=True))
    plt.close(ax.figure)


def test_the_picture_has_a_mark_for_each_gain():
    fig = helps.picture(FOUND, "symmetric, 0.4")
    [ax] = fig.axes
    marks = [line for line in ax.lines if line.get_marker() == words.look("fasten")["marker"]]
    assert sorted(round(m.get_xdata()[0], 6) for m in marks) == [2.0, 20.0]
    assert [m.get_markerfacecolor() for m in marks].count("white") == 1
    plt.close(fig)


def test_trusted_labels_are_drawn_beside_cross_entropy_of_the_same_noise():
    parts = [history({"fasten": (0.0, 5.0)}).assign(trusted=count) for count in (10, 100)]
    rows = pd.concat(parts, ignore_index=True).rename(columns={"name": "method"})
    rows = rows[rows.method == "fasten"].assign(key=rows.key + rows.trusted.astype(str))
    ax = helps.checked_labels(rows, history({}))
    assert ax.lines[-1].get_ydata()[0] == pytest.approx(71.0) and ax.lines[0].get_ydata()[0] == pytest.approx(76.0)
    plt.close(ax.figure)


def test_what_is_said_of_trusted_labels_has_the_interval_of_the_dotted_line():
    parts = [history({"fasten": (0.0, 5.0)}).assign(trusted=count) for count in (10, 100)]
    rows = pd.concat(parts, ignore_index=True).rename(columns={"name": "method"})
    rows = rows[rows.method == "fasten"].assign(key=rows.key + rows.trusted.astype(str))
    said = helps.checked(rows, history({}))
    assert said["checked_ce"].startswith("71.0 (") and said["checked_fasten_10"].startswith("76.0 (")
    assert said["checked_glc_500"] == helps.NOT_RUN


def test_gains_under_noise_of_the_image_are_counted_with_the_seeds_they_rest_on():
    frames = {"robust losses": history({"gce": (9.0, 5.0), "sop": (1.0, 1.0)}, "instance")}
    said = helps.details(frames, helps.gains(frames))
    assert (said["image_ahead"], said["image_of"], said["image_seeds"]) == ("1", "2", "70, 71, 72")
    assert said["lq_instance_4_last"].startswith("+9.0") and said["lq_pair_4_last"] == helps.NOT_RUN
    assert said["stopping_pair_4_fasten"] == helps.NOT_RUN


def test_labels_of_people_have_gains_only_where_they_were_run():
    assert helps.people("laptop", "never", "cpu")["lead_gce_last"] != helps.NOT_RUN
    assert {*helps.people("gpu", "never", "cpu").values()} >= {helps.NOT_RUN}
