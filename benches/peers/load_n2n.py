"""Loads a model file of n2n into PyTorch.

In a program: `denoiser = load("runs/default-1/best.safetensors")`, then `denoiser(images)` for images
`[N, channels, H, W]` in [0, 1]. As a command, it writes a checkpoint that `n2n import` reads:
`python load_n2n.py MODEL.safetensors CHECKPOINT.pth`. Needs torch and safetensors.
"""

import argparse
import json

import torch
from safetensors import safe_open
from torch import Tensor, nn

from simple_net import SimpleNet
from unet import UNet

MIN_STD = 1 / 255  # below it an image counts as flat


class Normalization(nn.Module):
    """Normalization of the network's inputs: `(x - mean) / std`, with one of four kinds of statistics."""

    def __init__(self, kind: str, mean=(), std=(), shape=None):
        super().__init__()
        self.kind = kind
        shape = shape or (len(mean), 1, 1)
        for name, values in ("mean", mean), ("std", std):
            self.register_buffer(name, torch.tensor(values).reshape(shape) if len(values) else None)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "none":
            return x
        if self.kind == "per_image":
            std, mean = torch.std_mean(x, dim=(2, 3), correction=0, keepdim=True)
            return (x - mean) / std.clamp(min=MIN_STD)
        return (x - self.mean) / self.std  # per_channel, per_pixel


def build(config: dict) -> nn.Module:
    """Network described by the metadata of a model file."""
    names = {"unet": ["features", "depth", "share_weights", "activation", "output", "batch_norm"], "simple": ["features"]}
    # A file older than a key lacks it; the default is the earlier behaviour.
    options = {name: config[name] for name in names[config["kind"]] if name in config}
    network = {"unet": UNet, "simple": SimpleNet}[config["kind"]]
    return network(channels=config.get("channels") or 3, **options)


def load(path: str) -> nn.Sequential:
    """Normalization and network of the model file at `path`."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["n2n"])
        state = {name: file.get_tensor(name) for name in file.keys()}
    network = build(metadata["network"])
    network.load_state_dict(state)
    return nn.Sequential(Normalization(**metadata["normalization"]), network).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a model file of n2n as a PyTorch checkpoint.")
    parser.add_argument("model", metavar="MODEL.safetensors")
    parser.add_argument("checkpoint", metavar="CHECKPOINT.pth")
    args = parser.parse_args()
    normalization, network = load(args.model)
    torch.save(network.state_dict(), args.checkpoint)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{parameters} parameters written to {args.checkpoint}; normalization: {normalization.kind}")


if __name__ == "__main__":
    main()
