"""Per-example losses: logits (B, K) and labels (B,) to losses (B,)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """-log p_y."""
    return F.cross_entropy(logits, y, reduction="none")


def smoothed_cross_entropy(logits: Tensor, y: Tensor, e: float) -> Tensor:
    """Cross entropy against (1 - e) onehot(y) + e/K (Szegedy 2016, section 7); e -> 0 is cross entropy."""
    logp = torch.log_softmax(logits, dim=1)  # (B, K)
    return -(1 - e) * logp.gather(1, y[:, None]).squeeze(1) - e * logp.mean(1)
