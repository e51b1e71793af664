"""Simple net of the reference in PyTorch: two strided convolutions, then two transposed ones."""

import math

import torch
from torch import Tensor, nn


class SimpleNet(nn.Module):
    def __init__(self, features: int = 64, channels: int = 3) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels, features, 2, stride=2)
        self.conv1 = nn.Conv2d(features, features, 2, stride=2)
        self.tconv0 = nn.ConvTranspose2d(features, features, 2, stride=2)
        self.tconv1 = nn.ConvTranspose2d(features, channels, 2, stride=2)
        for layer in (self.conv0, self.conv1, self.tconv0, self.tconv1):
            nn.init.xavier_normal_(layer.weight, gain=math.sqrt(2))
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv0(x))
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.tconv0(x))
        return torch.sigmoid(self.tconv1(x))
