"""MentorNet: pairs weighed by a mentor that has learned a curriculum (Jiang et al. 2018)."""

import copy
from dataclasses import dataclass, replace

import torch

from ..inputs import lookup, require
from .base import Stage
from .curriculum import CURRICULA, Curriculum
from .mentor import FORMS, Mentor, imitate, teach


@dataclass(frozen=True)
class MentorNet(Curriculum):
    """Cross entropy weighted by a mentor (Algorithm 1, SPADE).

    A predefined `kind` is imitated before training. The kind "data" is learned from the trusted pairs: at the shares
    `updates` of training, from their losses so far and from whether their given label is the true one, on fresh
    weights. Between the burn-in and the first update all pairs count. A mentor that has learned at one percentage of
    training is asked at that one. With a `source` the mentor comes from the first update of such a training on another
    data set, and stays as it is.
    """

    kind: str = "pd"
    drop: float = 0.05
    form: str = "released"
    updates: tuple[float, ...] = (0.21, 0.75)
    source: str = ""

    kinds = (*CURRICULA, "data")
    given = None  # a mentor that has learned already

    def __post_init__(self):
        super().__post_init__()
        lookup("form of the mentor", self.form, FORMS)
        object.__setattr__(self, "updates", tuple(map(float, self.updates)))
        good = self.updates and all(0 < u < 1 for u in self.updates)
        require(bool(good), f"updates are shares of training between 0 and 1, not {self.updates}")
        require(not self.explicit, "a mentor has no explicit G")
        moves = self.kind == "data" and self.form == "released"
        require(not self.source or moves, "only a mentor of kind 'data' and form 'released' can come from a source")

    @property
    def trust(self):
        return "within" if self.kind == "data" and not self.given else ""

    @property
    def passes(self):
        return (2, 2) if self.source else (1, 1)

    @property
    def first(self):
        if not self.source or self.given:
            return None
        up_to_the_first_update = replace(self, source="", updates=self.updates[:1])
        return Stage(up_to_the_first_update, dataset=self.source)

    def led_by(self, mentor: Mentor) -> "MentorNet":
        """The same with a mentor that has learned already."""
        led = replace(self)
        object.__setattr__(led, "given", mentor)  # no field: a run is known by its hyperparameters
        return led

    def after(self, net, view):
        return {"mentor": net.mentor.state_dict()}

    def second(self, found, net):
        net.mentor.load_state_dict(found["mentor"])
        return self.led_by(net.mentor)

    def build(self, net, task):
        net = super().build(net, task)
        fresh = Mentor(self.form, task.K)  # drawn for every kind, so that all go on with the same random numbers
        if self.given:
            mentor = self.given
        elif self.kind == "data":
            mentor = fresh
        else:
            mentor, _ = imitate(self.kind, self.form)
        net.mentor = copy.deepcopy(mentor).requires_grad_(False)
        net.register_buffer("taught", torch.tensor(mentor is not fresh))
        # the last losses of each pair and their differences, oldest first; NaN: not met yet
        net.register_buffer("z", torch.full((task.M, net.mentor.steps, 2), torch.nan, dtype=torch.float32))
        return net

    def chosen(self, net, loss, d, percent, batch):
        i, now = batch.index.long(), torch.stack([loss, d], 1)[:, None]  # (B, 1, 2)
        z = torch.cat([net.z[i, 1:], now], 1)
        z = torch.where(z.isnan(), now, z)  # before its first step a pair was as it is now
        net.z.index_copy_(0, i, z)
        v = net.mentor(z, batch.y, percent.long().expand(len(i))).sigmoid()
        return torch.where(net.taught, v, torch.ones_like(v))

    def on_epoch(self, net, clock, view):
        if not self.trust or not any(clock.due(share, 1.0) for share in self.updates):
            return
        met = ~net.z[view.index].isnan().flatten(1).any(1)  # trusted pairs that training has met
        i, right = view.index[met], (view.label[view.index] == view.true)[met].float()
        percent = 100 * clock.step // clock.steps
        if len(i):
            fresh = Mentor(self.form, net.mentor.labels).to(i.device)
            teach(fresh, net.z[i], view.label[i], percent.expand(len(i)), right, steps=500)
            net.mentor.load_state_dict(fresh.state_dict())
            net.mentor.at.fill_(percent)
            net.taught.fill_(True)
