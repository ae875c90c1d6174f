"""torchvision, which decodes images and brings networks; imported only where it is used."""


def vision():
    """torchvision, also where its compiled operators do not match a CPU build of torch (only decoding is used)."""
    global _declared
    try:
        import torchvision
    except RuntimeError:
        import torch

        _declared = torch.library.Library("torchvision", "DEF")  # must stay alive
        for op in ("nms", "qnms"):
            _declared.define(f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision
