"""Training steps of the reference networks in PyTorch, timed on request.

Reads one line of JSON per measurement from standard input, `{"network": "unet", "batch_size": 16,
"steps": 1, "seconds": 0.5}`, and prints one: the mean seconds of each so many steps, of which the last's loss is
read, at least three. A line may name a layer instead of a
network, `{"layer": {"side": 32, "upsampled": 0, "channels_in": 3, "channels_out": 32}, ...}`; the answer is then
the median milliseconds of each pass. The first printed line has the versions and the number of threads.

    python bench.py --threads 2
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch.nn import functional as F

from simple_net import SimpleNet
from unet import UNet

LEAST_STEPS = 3
NETWORKS = {"unet": (UNet, 1e-3), "simple": (SimpleNet, 1e-3)}


class Training:
    """Forward, backward and SGD without momentum on one batch of 32x32 images."""

    def __init__(self, network: str, batch_size: int) -> None:
        kind, lr = NETWORKS[network]
        self.network = kind()
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=lr)
        self.input, self.target = torch.rand(2, batch_size, 3, 32, 32)

    def steps(self, count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            self.optimizer.zero_grad()
            loss = F.mse_loss(self.network(self.input), self.target)
            loss.backward()
            self.optimizer.step()
        loss.item()
        return (time.perf_counter() - start) / count


class Layer:
    """A convolution and PReLU; with `upsampled` channels, those are upsampled and concatenated first."""

    def __init__(self, layer: dict, batch_size: int) -> None:
        side, upsampled = layer["side"], layer["upsampled"]
        self.inputs = [torch.rand(batch_size, layer["channels_in"], side, side)]
        if upsampled:
            self.inputs.insert(0, torch.rand(batch_size, upsampled, side // 2, side // 2))
        self.conv = torch.nn.Conv2d(upsampled + layer["channels_in"], layer["channels_out"], 3, padding="same")
        self.prelu = torch.nn.PReLU(layer["channels_out"])

    def forward(self) -> torch.Tensor:
        x = self.inputs[0]
        if len(self.inputs) == 2:
            x = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), self.inputs[1]], dim=1)
        return self.prelu(self.conv(x))

    def forward_seconds(self) -> float:
        with torch.no_grad():
            start = time.perf_counter()
            self.forward()
            return time.perf_counter() - start

    def backward_seconds(self, inputs: bool) -> float:
        for x in self.inputs:
            x.requires_grad_(inputs).grad = None
        self.conv.zero_grad()
        self.prelu.zero_grad()
        y = self.forward()
        ones = torch.ones_like(y)
        start = time.perf_counter()
        y.backward(ones)
        return time.perf_counter() - start

    def passes(self, seconds: float) -> dict[str, float]:
        runs = {
            "forward": self.forward_seconds,
            "parameters": lambda: self.backward_seconds(inputs=False),
            "all": lambda: self.backward_seconds(inputs=True),
        }
        return {name: 1e3 * median(repeat(run, seconds)) for name, run in runs.items()}


def repeat(run: Callable[[], float], duration: float) -> list[float]:
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) < LEAST_STEPS or time.perf_counter() - start < duration:
        seconds.append(run())
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(0)
    print(json.dumps({"version": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
    trainings: dict[tuple[str, int], Training] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "layer" in request:
            layer = Layer(request["layer"], request["batch_size"])
            print(json.dumps(layer.passes(request["seconds"])), flush=True)
            continue
        key = request["network"], request["batch_size"]
        if key not in trainings:
            trainings[key] = Training(*key)
        seconds = repeat(lambda: trainings[key].steps(request["steps"]), request["seconds"])
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
