"""What people read in place of names in code: methods (which have a look, too), noise, networks, data, measures."""

# the families of methods, each with a colour that everybody can tell from the others
FAMILIES = {
    "plain": "#333333",
    "robust loss": "#0072b2",
    "loss correction": "#d55e00",
    "weights": "#009e73",
    "label correction": "#aa4499",
    "trusted labels": "#7f7f7f",
}
# of the methods of a family, in their order: the marker, and how far the colour is mixed with white or (below 0) black
MARKERS = "osD^vPX*"
SHADES = (0.0, -0.4, 0.35, -0.65, 0.5, -0.75, -0.2, 0.2)

# of every method: its name in words, and its family
METHODS = {
    "ce": ("cross entropy", "plain"),
    "label_smoothing": ("label smoothing", "plain"),
    "h_alpha": ("expected gradient (H_alpha)", "plain"),
    "forgetting": ("dropout (forgetting)", "plain"),
    "distillation": ("distillation", "plain"),
    "mae": ("absolute error (MAE)", "robust loss"),
    "gce": ("generalised cross entropy (L_q)", "robust loss"),
    "truncated": ("truncated L_q", "robust loss"),
    "unhinged": ("unhinged loss", "robust loss"),
    "forward": ("forward correction, true T", "loss correction"),
    "backward": ("backward correction, true T", "loss correction"),
    "forward_estimated": ("forward correction, estimated T", "loss correction"),
    "noise_adaptation": ("noise adaptation layer", "loss correction"),
    "glc": ("gold loss correction (GLC)", "loss correction"),
    "mloc": ("meta loss correction (MLoC)", "loss correction"),
    "fasten": ("FasTEN", "loss correction"),
    "self_paced": ("self-paced learning", "weights"),
    "focal": ("focal weights", "weights"),
    "PD": ("MentorNet, predefined (PD)", "weights"),
    "DD": ("MentorNet, data-driven (DD)", "weights"),
    "l2rw": ("learning to reweight (L2RW)", "weights"),
    "mwnet": ("Meta-Weight-Net", "weights"),
    "soft_bootstrap": ("soft bootstrapping", "label correction"),
    "hard_bootstrap": ("hard bootstrapping", "label correction"),
    "mlac": ("meta label correction (MLaC)", "label correction"),
    "mslc": ("meta soft label corrector (MSLC)", "label correction"),
    "deep_knn": ("deep k-NN", "label correction"),
    "curriculum": ("curriculum", "weights"),
    "mentornet": ("MentorNet", "weights"),
    "trusted_only": ("trusted images alone", "trusted labels"),
}
NOISES = {
    "clean": "no noise",
    "symmetric_inclusive": "symmetric (inclusive)",
    "symmetric_exclusive": "symmetric (exclusive)",
    "pair_flip": "pair",
    "asymmetric_cifar10": "asymmetric (CIFAR-10's map)",
    "asymmetric_superclass": "asymmetric (next of the superclass)",
    "hierarchical": "asymmetric (within the superclass)",
    "uniform": "uniform labels, added",
    "structured": "structured labels, added",
    "matrix": "a matrix of your own",
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


def look(name: str) -> dict[str, str]:
    """Colour and marker of a method, the same on every page; of a name that is not known those of plain training."""
    family = METHODS.get(name, ("", "plain"))[1]
    kin = [other for other, (_, of) in METHODS.items() if of == family]
    place = kin.index(name) if name in kin else 0
    place %= len(MARKERS)
    return {"color": shaded(FAMILIES[family], SHADES[place]), "marker": MARKERS[place]}


def shaded(colour: str, share: float) -> str:
    """A colour `#rrggbb` with this share of white in it, or of black where it is below 0."""
    end = 255 if share > 0 else 0
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(part + abs(share) * (end - part)):02x}" for part in parts)


def said(name: str) -> str:
    """Any name of a data set, network, noise, measure or method in words; one that is not known stays as it is."""
    for known in (DATA, NETWORKS, NOISES, MEASURES):
        if name in known:
            return known[name]
    return method(name)


def listed(names) -> str:
    """Different names in words, one after another: `MNIST, Fashion-MNIST`."""
    return ", ".join(said(str(name)) for name in dict.fromkeys(names))
