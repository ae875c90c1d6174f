"""Deep k-NN: labels that their neighbours do not share are left out of a second training."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..inputs import require
from ..losses import cross_entropy
from .base import Method, Stage
from .ce import CE


@dataclass(frozen=True)
class DeepKNN(Method):
    """Bahri, Jiang & Gupta 2020: after a first training on the noisy labels, a pair stays if its label is the most
    frequent one among its `k` nearest neighbours by logits, noisy and trusted images together; a second training, from
    the same initial weights, on what stays and on the trusted images.

    The authors choose between first trainings on all and on the trusted images alone; here it is the noisy ones. They
    add the trusted images to the pairs that stay; here every step has `trusted_batch` of them, so that each is seen far
    more often than a noisy one: with 1,000 beside 45,000 and batches of 100, 45 times as often.
    """

    k: int = 50
    trusted_batch: int = 100

    trust = "beside"
    sees_all_pairs = True
    passes = (3, 2)
    first = Stage(CE())

    def __post_init__(self):
        super().__post_init__()
        require(self.k > 0, f"k is how many neighbours vote, 1 or more, not {self.k}")

    def after(self, net, view):
        of_pairs, of_trusted = view.logits(False), view.trusted()
        everything, label = torch.cat([of_pairs, of_trusted]), torch.cat([view.label, view.true])
        require(self.k <= len(label), f"k={self.k} neighbours are more than the {len(label)} images that there are")
        if everything.is_cuda:
            majority = voted_on_device(everything, label, of_pairs, self.k)
        else:
            from sklearn.neighbors import KNeighborsClassifier  # only where it is used: it is slow to import

            neighbours = KNeighborsClassifier(self.k).fit(everything.numpy(), label.numpy())
            majority = torch.from_numpy(neighbours.predict(of_pairs.numpy()))
        return {"keep": majority == view.label}

    def second(self, found, net):
        return Kept(found["keep"].cpu(), self.trusted_batch)


def voted_on_device(points: Tensor, label: Tensor, asked: Tensor, k: int, most: int = 2**25) -> Tensor:
    """For each of the points asked for (n, K): the most frequent label, the lowest of equals, among its `k` nearest of
    `points` (N, K), whose labels (N,) are below K. Up to `most` distances are held at once, in double precision, as in
    scikit-learn's search."""
    points, K, found = points.double(), points.shape[1], []
    for part in asked.double().split(max(1, most // len(points))):
        nearest = torch.cdist(part, points).topk(k, largest=False).indices  # (n, k)
        votes = nn.functional.one_hot(label[nearest], K).sum(1)  # (n, K)
        found.append(votes.argmax(1))
    return torch.cat(found)


class Kept(Method):
    """The second stage, given which pairs are kept (M,): the mean cross entropy over those of a batch and over its
    trusted images."""

    def __init__(self, keep: Tensor, trusted_batch: int):
        self.keep, self.trusted_batch = keep, trusted_batch

    def build(self, net, task):
        net.register_buffer("keep", self.keep.float())
        return net

    def weights(self, net):
        return net.keep

    def loss(self, net, batch, clock):
        keep = net.keep[batch.index.long()]
        noisy = cross_entropy(net(batch.x), batch.y)
        known = cross_entropy(net(batch.trusted_x), batch.trusted_y)
        return ((keep * noisy).sum() + known.sum()) / (keep.sum() + len(known))
