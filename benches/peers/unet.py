"""The reference U-Net in PyTorch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, kernel_size=3, padding="same")


def normalization(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


class EncoderBlock(nn.Module):
    def __init__(self, channels: int, batch_norm: bool):
        super().__init__()
        self.conv = conv3x3(channels, channels)
        self.norm = normalization(channels, batch_norm)
        self.relu = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(self.relu(self.norm(self.conv(x))), 2)


class DecoderBlock(nn.Module):
    def __init__(self, channels_in: int, channels_mid: int, channels_out: int, batch_norm: bool):
        super().__init__()
        self.conv0 = conv3x3(channels_in, channels_mid)
        self.norm0 = normalization(channels_mid, batch_norm)
        self.relu0 = nn.PReLU(channels_mid)
        self.conv1 = conv3x3(channels_mid, channels_out)
        self.norm1 = normalization(channels_out, batch_norm)
        self.relu1 = nn.PReLU(channels_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        y = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skip], dim=1)
        y = self.relu0(self.norm0(self.conv0(y)))
        return self.relu1(self.norm1(self.conv1(y)))


class UNet(nn.Module):
    """`[N, channels, H, W]` to the same, in (0, 1) with a sigmoid; H and W divisible by `2**depth`.

    With `share_weights`, one encoder block serves all levels and one decoder block all middle levels;
    the state dict contains it under every index.
    """

    def __init__(
        self,
        features: int = 32,
        depth: int = 4,
        share_weights: bool = True,
        activation: str = "prelu",
        batch_norm: bool = False,
        channels: int = 3,
        output: str = "sigmoid",
    ):
        super().__init__()
        self.output = output
        encoder, decoder = features, 2 * features

        def blocks(count, block):
            return [block()] * count if share_weights else [block() for _ in range(count)]

        self.conv0 = conv3x3(channels, encoder)
        self.eblocks = nn.ModuleList(blocks(depth, lambda: EncoderBlock(encoder, batch_norm)))
        self.conv1 = conv3x3(encoder, encoder)
        self.dblocks = nn.ModuleList(
            [DecoderBlock(2 * encoder, decoder, decoder, batch_norm)]
            + blocks(depth - 2, lambda: DecoderBlock(decoder + encoder, decoder, decoder, batch_norm))
            + [DecoderBlock(decoder + channels, decoder // 2, decoder // 3, batch_norm)]
        )
        self.conv2 = conv3x3(decoder // 3, channels)
        self.relu = {"prelu": nn.PReLU, "relu": nn.ReLU}[activation]()

    def forward(self, x: Tensor) -> Tensor:
        skips = [x]
        y = self.relu(self.conv0(x))
        for block in self.eblocks:
            y = block(y)
            skips.append(y)
        skips.pop()  # the deepest image is the input of `conv1`
        y = self.relu(self.conv1(y))
        for block in self.dblocks:
            y = block(y, skips.pop())
        y = self.conv2(y)
        return {"sigmoid": lambda: torch.sigmoid(y), "residual": lambda: x + y, "linear": lambda: y}[self.output]()


def parameter_count(**options) -> int:
    return sum(parameter.numel() for parameter in UNet(**options).parameters())


if __name__ == "__main__":
    # The published sizes.
    assert parameter_count() == 211_845
    assert parameter_count(share_weights=False) == 332_101
    sizes = {4: 3_605, 8: 13_788, 16: 53_637, 32: 211_844, 64: 841_285, 128: 3_354_148}
    assert sizes == {features: parameter_count(features=features, activation="relu") for features in sizes}
    print("parameter counts agree")
