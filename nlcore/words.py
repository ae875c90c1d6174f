"""What people read in place of names in code: methods (which have a look, too), noise, networks, data, measures."""

FAMILIES = ("plain", "robust loss", "loss correction", "weights", "label correction", "sample selection")
FAMILIES += ("trusted labels",)
# colours that can be told from each other, each with a marker that says the same to those who see them alike
LOOKS = {
    "black": ("#222222", "o"),
    "blue": ("#0072b2", "s"),
    "green": ("#009e73", "^"),
    "pink": ("#cc79a7", "D"),
    "vermilion": ("#d55e00", "X"),
    "orange": ("#e69f00", "v"),
    "indigo": ("#332288", "*"),
    "grey": ("#8c8c8c", "P"),
    "sky": ("#56b4e9", ">"),
    "brown": ("#7a4b1f", "<"),
    "olive": ("#999933", "h"),
}

# of every method: its name in words, its family, and its look, which no other one of the same experiment has
METHODS = {
    "ce": ("cross entropy", "plain", "black"),
    "label_smoothing": ("label smoothing", "plain", "sky"),
    "h_alpha": ("expected gradient (H_alpha)", "plain", "blue"),
    "forgetting": ("dropout (forgetting)", "plain", "brown"),
    "distillation": ("distillation", "plain", "green"),
    "mae": ("absolute error (MAE)", "robust loss", "orange"),
    "gce": ("generalised cross entropy (L_q)", "robust loss", "blue"),
    "truncated": ("truncated L_q", "robust loss", "pink"),
    "unhinged": ("unhinged loss", "robust loss", "grey"),
    "forward": ("forward correction, true T", "loss correction", "vermilion"),
    "backward": ("backward correction, true T", "loss correction", "indigo"),
    "forward_estimated": ("forward correction, estimated T", "loss correction", "olive"),
    "noise_adaptation": ("noise adaptation layer", "loss correction", "brown"),
    "glc": ("gold loss correction (GLC)", "loss correction", "blue"),
    "mloc": ("meta loss correction (MLoC)", "loss correction", "brown"),
    "fasten": ("FasTEN", "loss correction", "vermilion"),
    "self_paced": ("self-paced learning", "weights", "green"),
    "focal": ("focal weights", "weights", "olive"),
    "PD": ("MentorNet, predefined (PD)", "weights", "orange"),
    "DD": ("MentorNet, data-driven (DD)", "weights", "vermilion"),
    "l2rw": ("learning to reweight (L2RW)", "weights", "green"),
    "mwnet": ("Meta-Weight-Net", "weights", "orange"),
    "soft_bootstrap": ("soft bootstrapping", "label correction", "pink"),
    "hard_bootstrap": ("hard bootstrapping", "label correction", "sky"),
    "mlac": ("meta label correction (MLaC)", "label correction", "pink"),
    "mslc": ("meta soft label corrector (MSLC)", "label correction", "indigo"),
    "deep_knn": ("deep k-NN", "label correction", "sky"),
    "curriculum": ("curriculum", "weights", "green"),
    "mentornet": ("MentorNet", "weights", "vermilion"),
    "trusted_only": ("trusted images alone", "trusted labels", "grey"),
    "symmetric_ce": ("symmetric cross entropy", "robust loss", "brown"),
    "active_passive": ("active-passive loss", "robust loss", "olive"),
    "peer": ("peer loss", "robust loss", "grey"),
    "elr": ("early-learning regularisation (ELR)", "label correction", "green"),
    "sop": ("sparse over-parameterisation (SOP)", "label correction", "orange"),
    "volminnet": ("VolMinNet", "loss correction", "sky"),
    "mixup": ("mixup", "plain", "indigo"),
    "small_loss": ("small losses, chosen alone", "sample selection", "green"),
    "co_teaching": ("co-teaching", "sample selection", "orange"),
    "dividemix": ("DivideMix", "sample selection", "pink"),
}
NOISES = {
    "clean": "no noise",
    "symmetric_inclusive": "symmetric (inclusive)",
    "symmetric_exclusive": "symmetric (exclusive)",
    "pair_flip": "pair",
    "asymmetric_cifar10": "asymmetric (CIFAR-10's map)",
    "asymmetric_mnist": "asymmetric (MNIST's map)",
    "asymmetric_superclass": "asymmetric (next of the superclass)",
    "asymmetric_blocks": "asymmetric (next in the alphabet)",
    "hierarchical": "asymmetric (within the superclass)",
    "uniform": "uniform labels, added",
    "structured": "structured labels, added",
    "matrix": "a matrix of your own",
    "instance": "instance-dependent",
    "open_set": "open-set (images of another set)",
    "human": "people's labels",
    "human_matrix": "drawn from people's matrix",
}
DATA = {
    "digits": "the embedded digits",
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
}
FIRST_CLASSES = {"cifar10": ("airplane", "automobile", "bird"), "fashion": ("T-shirt", "trouser", "pullover")}
NETWORKS = {
    "perceptron": "perceptron",
    "mlp1": "MLP, 1 hidden layer",
    "mlp2": "MLP, 2 hidden layers",
    "mlp2_800": "MLP, 2 × 800 units",
    "mlp2_1200": "MLP, 2 × 1,200 units",
    "mlp4": "MLP, 4 hidden layers",
    "conv_small": "small conv net",
    "conv4": "Conv4",
    "conv6": "Conv6",
    "resnet": "ResNet",
    "resnet18": "ResNet-18",
    "resnet32": "ResNet-32",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet56": "ResNet-56",
    "cifarnet": "CIFAR net",
    "wide_resnet": "wide ResNet",
    "wide_resnet_tiny": "wide ResNet, tiny",
    "airbench94": "the 94 % net",
}
MEASURES = {
    "accuracy": "test accuracy, %",
    "test_accuracy": "test accuracy, %",
    "alpha": "noisy labels per clean label, α",
    "delta": "strength of the structure, δ",
    "images": "clean examples",
    "batch": "batch size",
    "rate": "noise rate",
    "method_a": "smoothing, a",
    "method_q": "q",
}


def method(name: str) -> str:
    """A method in words; a name that is not known stays as it is."""
    return METHODS[name][0] if name in METHODS else name


def brief(name: str) -> str:
    """The name of a method without what stands in brackets behind it."""
    return method(name).split(" (")[0]


def look(name: str) -> dict[str, str]:
    """Colour and marker of a method, the same on every page; of a name that is not known those of plain training."""
    colour, marker = LOOKS[METHODS[name][2] if name in METHODS else "black"]
    return {"color": colour, "marker": marker}


def shaded(colour: str, share: float) -> str:
    """A colour `#rrggbb` with this share of white in it."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(part + share * (255 - part)):02x}" for part in parts)


def said(name: str) -> str:
    """Any name of a data set, network, noise, measure or method in words; one that is not known stays as it is."""
    for known in (DATA, NETWORKS, NOISES, MEASURES):
        if name in known:
            return known[name]
    return method(name)


def listed(names) -> str:
    """Different names in words, one after another: `MNIST, Fashion-MNIST`."""
    return ", ".join(said(str(name)) for name in dict.fromkeys(names))
