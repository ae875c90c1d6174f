"""DivideMix: two networks tell each other which labels are likely right, and learn from the other images without."""

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Beta
from torch.func import functional_call

from ..inputs import require
from ..losses import cross_entropy, soft_cross_entropy
from .twins import Twins


def divided(loss: Tensor) -> Tensor:
    """The probability (M,) that each of the losses (M,), scaled to [0, 1], is of the lower of two Gaussians: that the
    label is right. All 1 where the losses cannot be told apart."""
    from sklearn.exceptions import ConvergenceWarning  # only where it is used: it is slow to import
    from sklearn.mixture import GaussianMixture

    low, high = loss.aminmax()
    scaled = ((loss - low) / (high - low)).cpu().double().numpy()[:, None]
    if not (low < high) or not loss.isfinite().all():
        return torch.ones_like(loss)
    mixture = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten iterations are what the authors take
        mixture.fit(scaled)
    return torch.from_numpy(mixture.predict_proba(scaled)[:, mixture.means_.argmin()]).to(loss)


def sharpened(p: Tensor, temperature: float) -> Tensor:
    """Distributions p (B, K) to the power of 1 / temperature, scaled to sum to 1."""
    return (p.log() / temperature).softmax(1)


def told(body: nn.Module, views: tuple[Tensor, ...]) -> Tensor:
    """The mean prediction (B, K) for views of the same images, without gradient; running averages stay as they are."""
    # not under no_grad: autocast would keep casts of the weights without their gradients (torch <= 2.10)
    weights = {name: p.detach() for name, p in body.named_parameters()}
    kept = {name: b.clone() for name, b in body.named_buffers()}
    predicted = [functional_call(body, (weights, kept), (x,)).to(x.dtype).softmax(1) for x in views]
    return torch.stack(predicted).mean(0)


def of_labelled(logits: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
    """L_X: the mean cross entropy against targets (n, K) where `labelled` (n,) is 1, not 0."""
    return (labelled * soft_cross_entropy(logits, target)).sum() / labelled.sum().clamp_min(1)


def of_unlabelled(logits: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
    """L_U: the mean squared difference of prediction and target, over classes (as released; the paper sums over them)
    and where `labelled` is 0."""
    error = (logits.softmax(1) - target).square().mean(1)
    return ((1 - labelled) * error).sum() / (1 - labelled).sum().clamp_min(1)


def to_uniform(logits: Tensor) -> Tensor:
    """L_reg: the Kullback-Leibler divergence of the mean prediction over a batch (n, K) from the uniform one."""
    n, K = logits.shape
    log_mean = logits.log_softmax(1).logsumexp(0) - math.log(n)  # finite also where the mean is 0
    return -(log_mean + math.log(K)).mean()


def negative_entropy(logits: Tensor) -> Tensor:
    """The mean over a batch (n, K) of sum_k p_k log p_k: a penalty on being sure."""
    log_p = logits.log_softmax(1)
    return (log_p.exp() * log_p).sum(1).mean()


@dataclass(frozen=True)
class DivideMix(Twins):
    """Two networks; before each epoch two Gaussians are fitted to the losses of each, and tell the other one how likely
    a label is right: w. Above `threshold` a pair is labelled: its target is the given label by a share w, and for the
    rest what the network predicts. The target of the other pairs is what both networks predict. Predictions are means
    over two views of an image, and targets are sharpened by `temperature`. All views are mixed with each other
    (MixMatch), by a share from Beta(`alpha`, `alpha`); the loss is L_X + lambda_u L_U + L_reg (Li et al. 2020).

    The first division comes with the first epoch that begins when a share `warm_up` of training is over. Until then
    the loss is cross entropy, for `asymmetric` noise with a penalty on being sure. `lambda_u` is reached a share `ramp`
    later; the authors choose it for each noise: 25 for symmetric noise of 0.5, 0 for 0.2 and for asymmetric noise. The
    mean of both logits is evaluated.

    In the released code an epoch trains one network after the other, on batches of as many labelled as unlabelled
    pairs. Here a step trains both, on a batch of all pairs, whose two parts are as large as they happen to be. Shares
    of training stand for epochs, cross entropy has two views as well, both networks predict in training mode, and
    their running averages are of mixed images alone. Without augmentation both views are the same image.
    """

    lambda_u: float = 25.0
    warm_up: float = 1 / 30  # 10 of 300 epochs
    ramp: float = 16 / 300
    alpha: float = 4.0
    temperature: float = 0.5
    threshold: float = 0.5
    asymmetric: bool = False

    views = 2
    passes = (8, 4)  # of a batch: two views, told and mixed, by two networks

    def __post_init__(self):
        super().__post_init__()
        require(self.lambda_u >= 0, f"lambda_u weighs the unlabelled pairs, so 0 or more, not {self.lambda_u}")
        require(0 <= self.warm_up < 1 and 0 < self.ramp <= 1, "warm_up and ramp are shares of training")
        require(self.alpha >= 0.1, f"alpha is the parameter of a Beta distribution, 0.1 or more, not {self.alpha}")
        require(self.temperature > 0, f"temperature is more than 0, not {self.temperature}")
        require(0 < self.threshold < 1, f"threshold is a probability between 0 and 1, not {self.threshold}")

    def build(self, net, task):
        net = super().build(net, task)
        net.register_buffer("w", torch.ones(2, task.M))  # for the first network and for its twin
        net.register_buffer("begun", torch.tensor(-1))  # the step of the first division; -1: none yet
        return net

    def weights(self, net):
        return net.w.mean(0)

    def predict(self, net, x):
        return (net.body(x) + net.twin(x)) / 2

    def on_epoch(self, net, clock, view):
        if clock.epoch * clock.per_epoch < self.warm_up * clock.steps:
            return
        of_body, of_twin = (divided(cross_entropy(view.of(body), view.label)) for body in (net.body, net.twin))
        net.w.copy_(torch.stack([of_twin, of_body]))
        net.begun.copy_(torch.where(net.begun < 0, clock.step, net.begun))

    def target(self, y: Tensor, w: Tensor, own: Tensor, both: Tensor) -> Tensor:
        """(B, K), from labels (B, K) that are right with probabilities w (B,), the network's `own` prediction and the
        one of both."""
        refined = w[:, None] * y + (1 - w)[:, None] * own
        labelled = (w > self.threshold)[:, None]
        return sharpened(torch.where(labelled, refined, both), self.temperature)

    def mixed(self, body, x: Tensor, target: Tensor, labelled: Tensor, late: Tensor, lambda_u: Tensor) -> Tensor:
        """The loss of a network on images, each mixed with another one; on images as they are until it is `late`."""
        alpha = torch.full((), self.alpha, device=x.device)
        drawn = Beta(alpha, alpha, validate_args=False).sample()  # a check would wait for the device
        share = torch.where(late, torch.maximum(drawn, 1 - drawn), torch.ones_like(drawn))
        order = torch.rand(len(x), device=x.device).argsort()
        logits = body(share * x + (1 - share) * x[order]).to(x.dtype)
        target = share * target + (1 - share) * target[order]
        rest = lambda_u * of_unlabelled(logits, target, labelled) + to_uniform(logits)
        early = negative_entropy(logits) if self.asymmetric else torch.zeros_like(rest)
        return of_labelled(logits, target, labelled) + torch.where(late, rest, early)

    def loss(self, net, batch, clock):
        late = net.begun >= 0  # once pairs have been divided
        lambda_u = self.lambda_u * ((clock.step - net.begun) / (self.ramp * clock.steps)).clamp(max=1)
        views, bodies = (batch.x, batch.x2), (net.body, net.twin)
        x, predicted = torch.cat(views), [told(body, views) for body in bodies]
        both = torch.stack(predicted).mean(0)
        y, losses = nn.functional.one_hot(batch.y, both.shape[1]).to(both.dtype), []
        for body, w, own in zip(bodies, net.w[:, batch.index.long()], predicted, strict=True):
            target, labelled = self.target(y, w, own, both), (w > self.threshold).to(w.dtype)
            losses.append(self.mixed(body, x, torch.cat([target] * 2), torch.cat([labelled] * 2), late, lambda_u))
        return torch.stack(losses).sum()
