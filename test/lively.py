"""Random networks that behave like trained ones."""

from torch import nn


def lively(module: nn.Module) -> nn.Module:
    """Give every batch norm something to do, as training would; in place."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 2)
            if part.affine:
                nn.init.uniform_(part.weight, -1.5, 1.5)
                nn.init.normal_(part.bias)
    return module
