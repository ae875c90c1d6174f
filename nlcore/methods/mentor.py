"""The mentor: a small network that gives the weight of a pair from how its loss has moved (Jiang et al. 2018)."""

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from ..inputs import lookup
from .curriculum import CURRICULA

# As drawn in the paper, over the last steps of a pair; and as released: one step, a random epoch embedding that is not
# trained, and label 0 for every pair. How many steps the paper looks back was not found.
FORMS = {"paper": {"steps": 5, "frozen": False}, "released": {"steps": 1, "frozen": True}}


class Mentor(nn.Module):
    """A bidirectional LSTM over (loss, difference from the moving percentile), embeddings of the label and of the
    percentage of training, a layer of 20 tanh units; out comes the logit of v."""

    def __init__(self, form: str = "released", labels: int = 1):
        super().__init__()
        plan = lookup("form of the mentor", form, FORMS)
        self.steps, self.frozen = plan["steps"], plan["frozen"]
        self.labels = 1 if self.frozen else labels
        self.label, self.percent = nn.Embedding(self.labels, 2), nn.Embedding(100, 5)
        self.lstm = nn.LSTM(2, 1, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(9, 20), nn.Tanh(), nn.Linear(20, 1))
        self.register_buffer("at", torch.tensor(-1))  # the one percentage that it knows; -1: all
        self.float()  # whatever torch's default is

    def forward(self, z: Tensor, label: Tensor, percent: Tensor) -> Tensor:
        """Logits (B,) from z (B, steps, 2), oldest step first, labels (B,), and percentages 0 to 99 (B,)."""
        label = label if self.labels > 1 else torch.zeros_like(label)
        percent = torch.where(self.at < 0, percent, self.at)
        _, (last, _) = self.lstm(z)  # (2, B, 1), one for each direction; time runs along z, never along the batch
        return self.head(torch.cat([self.label(label), self.percent(percent), *last], 1)).squeeze(1)


def examples(count: int, steps: int) -> tuple[Tensor, Tensor]:
    """Pairs to imitate a curriculum on: z (count, steps, 2), each step drawn anew from the grid of the released code
    (losses 0 to 9.9 by 0.1 and 10 to 29, differences -5 to 4.9 by 0.1), and percentages 0 to 99 (count,)."""
    losses = torch.cat([torch.arange(100) / 10, torch.arange(10.0, 30)])
    differences = torch.arange(-50, 50) / 10
    drawn = [grid[torch.randint(len(grid), (count, steps))] for grid in (losses, differences)]
    return torch.stack(drawn, 2).float(), torch.randint(100, (count,))


def teach(mentor: Mentor, z: Tensor, label: Tensor, percent: Tensor, v: Tensor, steps: int) -> None:
    """Train a mentor in place to give the weights v (n,) for z (n, steps, 2), labels (n,) and percentages (n,), in
    batches of up to 512 pairs; weights that are all 0 or 1 by cross entropy, others by squared error. The released code
    takes 30,000 steps of 32 pairs, with Adam from 0.1."""
    binary = bool(((v == 0) | (v == 1)).all())
    fixed = ("percent.weight",) if mentor.frozen else ()
    trained = [p.requires_grad_() for name, p in mentor.named_parameters() if name not in fixed]
    opt = torch.optim.Adam(trained, lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    with torch.enable_grad():
        for _ in range(steps):
            i = torch.randint(len(v), (min(512, len(v)),), device=v.device)
            out = mentor(z[i], label[i], percent[i])
            loss = binary_cross_entropy_with_logits(out, v[i]) if binary else mse_loss(out.sigmoid(), v[i])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 5.0)
            opt.step()
            schedule.step()
    mentor.zero_grad(set_to_none=True)
    mentor.requires_grad_(False)


@lru_cache(maxsize=8)
def imitate(kind: str, form: str = "released", seed: int = 0, steps: int = 1000) -> tuple[Mentor, float]:
    """A mentor that has learned a predefined curriculum from 80,000 pairs, and its mean squared error on 20,000 that it
    never saw."""
    curriculum = lookup("curriculum", kind, CURRICULA)
    taught, unseen = slice(80_000), slice(80_000, None)
    with torch.random.fork_rng([]):  # puts the CPU's generator back, and no other
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed a GPU's as well
        mentor = Mentor(form)
        z, percent = examples(100_000, mentor.steps)
        loss, difference = z[:, -1].unbind(1)  # now; the curriculum does not look back
        label, v = torch.zeros_like(percent), curriculum(loss, difference, percent)
        teach(mentor, z[taught], label[taught], percent[taught], v[taught], steps)
    with torch.no_grad():
        found = mentor(z[unseen], label[unseen], percent[unseen]).sigmoid()
    return mentor, mse_loss(found, v[unseen]).item()
