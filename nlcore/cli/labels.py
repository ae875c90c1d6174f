"""Commands about the labels of one's own data: audit, relabel."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .base import app
from .people import Device


@app.command()
def audit(
    dataset: Annotated[
        str, typer.Argument(metavar="DATA", help="folder of class folders, .npz, or table (CSV, Parquet)")
    ],
    out: Annotated[Path | None, typer.Option(help="folder for the report (default: audit-NAME here)")] = None,
    folds: Annotated[int, typer.Option(help="trainings, each of which judges its share of the labels")] = 5,
    model: Annotated[str, typer.Option(help="the network that is trained on each fold")] = "conv_small",
    steps: Annotated[int, typer.Option(help="of each training (default: 10 epochs, 300 at least)")] = 0,
    side: Annotated[int, typer.Option(help="pixels that larger pictures are resized to")] = 32,
    pred_probs: Annotated[Path | None, typer.Option("--pred-probs", help="own predictions (N, K), .npy")] = None,
    checked: Annotated[Path | None, typer.Option(help="table file,label of labels that were checked")] = None,
    seed: int = 0,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Say which labels to doubt: a ranked table, an estimate of how many are wrong, and a report to open in a browser.
    Stop it at any time; a second start goes on with the next fold."""
    from ..audit.folds import Plan
    from ..audit.labels import audit as audited
    from ..audit.labels import told

    plan, say = Plan(folds, model, steps, seed, device), partial(typer.echo, err=True)
    found, place = audited(dataset, out, plan, side, pred_probs, checked, say)
    print(json.dumps(found.summary, indent=1) if as_json else told(found, place))


@app.command()
def relabel(
    dataset: Annotated[str, typer.Argument(metavar="DATA", help="what was audited")],
    reviewed: Annotated[Path, typer.Argument(help="table file,label; or file,action,label: keep, relabel, remove")],
    out: Annotated[Path, typer.Option(help="the new table of labels (.csv; for an .npz a new .npz)")],
) -> None:
    """Apply the labels that somebody has reviewed: write all labels anew, with those that were given beside them. No
    file of DATA is changed."""
    from ..audit.reviewed import relabel as applied

    print(applied(dataset, reviewed, out))
