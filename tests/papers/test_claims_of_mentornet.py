"""Claims on MentorNet hold on the paper's own numbers, and fail on those turned round."""

import pandas as pd
import pytest

from nlcore.papers import tables
from nlcore.papers.jiang2018 import claims

METHODS = {"self_paced": ("curriculum", "self_paced"), "focal": ("curriculum", "focal")}
METHODS |= {"PD": ("mentornet", "pd"), "DD": ("mentornet", "data")}


def judge(id: str, frame: pd.DataFrame) -> str:
    return {c.id: c for c in claims.CLAIMS}[id].judge(frame).verdict


def table(where: str, dataset: str) -> pd.DataFrame:
    """Numbers of the paper as our records would have them."""
    rows = tables.published("jiang2018").query("`where` == @where and dataset == @dataset")
    names = rows.series.str.removeprefix("method=")
    frame = pd.DataFrame(
        {"rate": rows["at"], "model": rows.model, "dataset": dataset, "test_accuracy": rows.value / 100}
    )
    frame["method"] = [METHODS.get(n, (n, None))[0] for n in names]
    frame["method_kind"] = [METHODS.get(n, (n, None))[1] for n in names]
    return frame.assign(metric=rows.metric)


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(test_accuracy=1 - frame.test_accuracy)


@pytest.mark.parametrize("id", ["E3", "E4", "E5"])
@pytest.mark.parametrize("where", ["Table 2", "README"])
def test_orders_hold_in_both_tables_of_the_authors(id, where):
    frame = table(where, "cifar10")
    assert judge(id, frame) == "reproduced" and judge(id, turned(frame)) == "not reproduced"


def test_focal_weights():
    """In the re-implementation focal gains 6.6 points for the big student."""
    assert judge("E6", table("Table 2", "cifar10")) == "reproduced"
    assert judge("E6", table("README", "cifar10")) == "partly"
    assert judge("E6", turned(table("Table 2", "cifar10").query("model == 'wide_resnet'"))) == "not reproduced"


def test_a_missing_cell_is_not_run():
    frame = table("Table 2", "cifar10")
    for id, name in (("E3", "PD"), ("E4", "DD"), ("E5", "self_paced"), ("E6", "focal"), ("E8", "DD"), ("E9", "DD")):
        assert judge(id, frame[claims.named(frame) != name]) == "not run"


def test_transfer():
    frame = table("Table 2", "cifar100").query("model == 'wide_resnet'")
    moved = frame.assign(method_source=frame.method_kind.eq("data").map({True: "cifar10", False: ""}))
    assert judge("E7", moved) == "reproduced" and judge("E7", turned(moved)) == "not reproduced"
    assert judge("E7", moved.assign(dataset="cifar10")) == "not run"  # no transfer


def test_overfitting():
    rows = table("Fig. 3", "cifar100")
    last = rows[rows.metric == "test error (%), last"]
    lowest = rows[rows.metric == "test error (%), lowest"].set_index("method").test_accuracy
    frame = last.assign(
        test_accuracy=1 - last.test_accuracy, peak=1 - last.method.map(lowest).fillna(last.test_accuracy)
    )
    assert judge("E9", frame) == "reproduced"
    assert judge("E9", frame.assign(peak=frame.test_accuracy)) == "partly"  # nobody overfits
    assert judge("E9", frame.assign(peak=frame.test_accuracy + 0.02)) == "not reproduced"


def test_detection_and_burn_in():
    frame = table("Table 2", "cifar10")
    assert judge("E8", frame.assign(kept_auc=0.9)) == "reproduced"
    assert judge("E8", frame.assign(kept_auc=0.7)) == "not reproduced"
    four = pd.DataFrame({"method_kind": ["self_paced", "self_paced", "data", "data"], "method_burn_in": [0, 0.2] * 2})
    four = four.assign(model="m", rate=0.4, test_accuracy=[0.5, 0.6, 0.7, 0.8])
    assert judge("E10", four) == "reproduced" and judge("E10", turned(four)) == "not reproduced"
    assert judge("E10", four[1:]) == "not run"


def test_which_student_is_the_big_one():
    frame = pd.DataFrame({"model": ["mlp1", "conv_small"]})
    assert claims.students_of(frame) == ["conv_small", "mlp1"]
