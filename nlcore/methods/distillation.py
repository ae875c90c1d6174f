"""Distillation: a student learns the predictions of a teacher that was trained before."""

from dataclasses import dataclass

import torch

from ..inputs import lookup, require
from ..losses import cross_entropy, distilled
from ..models import MODELS
from .base import Method, Stage
from .label_smoothing import LabelSmoothing


@dataclass(frozen=True)
class Distillation(Method):
    """(1 - b) H(y, p) + b H(p_teacher(temperature), p(temperature)), H(q, p) being the cross entropy of p against q
    (Hinton et al. 2015; as in Muller 2019, section 4).

    The teacher, a network `teacher` ("": like the student), is trained on the same labels, smoothed by `a`.
    """

    a: float = 0.0
    temperature: float = 1.0
    b: float = 1.0
    teacher: str = ""

    passes = (3, 2)

    def __post_init__(self):
        super().__post_init__()
        require(self.temperature > 0 and 0 <= self.b <= 1, "temperature must be more than 0, b between 0 and 1")
        require(self.a <= 1, f"a is the share of the target that is spread, at most 1, not {self.a}")
        lookup("teacher", self.teacher or "mlp1", MODELS)

    @property
    def first(self):
        return Stage(LabelSmoothing(self.a), self.teacher)

    def after(self, net, view):
        return {"teacher": net.state_dict()}

    def second(self, found, net):
        net.load_state_dict(found["teacher"])
        return Student(self, net)


class Student(Method):
    """The second stage, with the teacher at hand."""

    def __init__(self, plan: Distillation, teacher: torch.nn.Module):
        self.plan, self.teacher = plan, teacher.eval().requires_grad_(False)

    def loss(self, net, batch, clock):
        out = net(batch.x)
        hard = cross_entropy(out, batch.y)
        soft = distilled(out, self.teacher(batch.x), self.plan.temperature)
        return ((1 - self.plan.b) * hard + self.plan.b * soft).mean()
