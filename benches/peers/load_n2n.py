"""Loads a model file of n2n into PyTorch.

In a program: `denoiser = load("runs/default-1/best.safetensors")`, then `denoiser(images)` for images
`[N, channels, H, W]`: samples in the units of the training if the model has a range, else in [0, 1]. As a command, it writes a checkpoint that `n2n import` reads:
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


class Denoiser(nn.Module):
    """A network with the range of its samples and the normalization of its inputs: `(x - mean) / std`.

    The output is brought back by the same statistics, unless it is that of a sigmoid.
    """

    def __init__(self, network: nn.Module, restores: bool, range_, kind: str, mean=(), std=(), shape=None):
        super().__init__()
        self.network = network
        self.restores = restores
        self.kind = kind
        shape = shape or (len(mean), 1, 1)
        for name, values in ("mean", mean), ("std", std):
            self.register_buffer(name, torch.tensor(values).reshape(shape) if len(values) else None)
        ends = torch.tensor(range_ or [0.0, 1.0]).reshape(-1, 2, 1, 1)  # one for all channels, or one for each
        self.register_buffer("low", ends[:, 0])
        self.register_buffer("extent", ends[:, 1] - ends[:, 0])

    def forward(self, noisy: Tensor) -> Tensor:
        x = (noisy - self.low) / self.extent
        mean, std = self.statistics(x)
        y = self.network((x - mean) / std)
        if self.restores:
            y = mean + std * y
        return self.low + self.extent * y

    def statistics(self, x: Tensor) -> tuple:
        if self.kind == "none":
            return 0.0, 1.0
        if self.kind == "per_image":
            std, mean = torch.std_mean(x, dim=(2, 3), correction=0, keepdim=True)
            return mean, std.clamp(min=MIN_STD)
        return self.mean, self.std  # per_channel, per_pixel


def build(config: dict) -> nn.Module:
    """Network described by the metadata of a model file."""
    names = {"unet": ["features", "depth", "share_weights", "activation", "output", "batch_norm"], "simple": ["features"]}
    # A file older than a key lacks it; the default is the earlier behaviour.
    options = {name: config[name] for name in names[config["kind"]] if name in config}
    network = {"unet": UNet, "simple": SimpleNet}[config["kind"]]
    return network(channels=config.get("channels") or 3, **options)


def load(path: str) -> Denoiser:
    """The denoiser of the model file at `path`."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["n2n"])
        state = {name: file.get_tensor(name) for name in file.keys()}
    network = build(metadata["network"])
    network.load_state_dict(state)
    restores = metadata["network"].get("output", "sigmoid") != "sigmoid"
    return Denoiser(network, restores, metadata.get("range"), **metadata["normalization"]).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a model file of n2n as a PyTorch checkpoint.")
    parser.add_argument("model", metavar="MODEL.safetensors")
    parser.add_argument("checkpoint", metavar="CHECKPOINT.pth")
    args = parser.parse_args()
    denoiser = load(args.model)
    torch.save(denoiser.network.state_dict(), args.checkpoint)
    parameters = sum(parameter.numel() for parameter in denoiser.network.parameters())
    print(f"{parameters} parameters written to {args.checkpoint}; normalization: {denoiser.kind}")


if __name__ == "__main__":
    main()
