"""Training steps of the reference networks in PyTorch, timed on request.

Reads one line of JSON per measurement from standard input, `{"way": 0, "network": "unet", "batch_size": 16,
"steps": 1, "seconds": 0.5}`, and prints one: the mean seconds of each so many steps, of which the last's loss is
read, at least three. A line may name a layer instead of a
network, `{"layer": {"side": 32, "upsampled": 0, "channels_in": 3, "channels_out": 32}, ...}`; the answer is then
the median milliseconds of each pass. The first printed line has the version and the names of the ways to compute
a step: on a CUDA device also without TF32, and as a CUDA graph.

    python bench.py --threads 2 --device cpu
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
WARM_UP = 5
# Name: whether convolutions may be in TF32, which is PyTorch's default, and whether a step is a CUDA graph.
EAGER = {"": (True, False)}
WAYS = {"cpu": EAGER, "cuda": {**EAGER, ", no TF32": (False, False), ", CUDA graph": (True, True)}}
NETWORKS = {"unet": (UNet, 1e-3), "simple": (SimpleNet, 1e-3)}


class Training:
    """Forward, backward and SGD without momentum on one batch of 32x32 images."""

    def __init__(self, network: str, batch_size: int, device: str, way: str) -> None:
        kind, lr = NETWORKS[network]
        self.tf32, captured = WAYS[device][way]
        self.network = kind().to(device)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=lr)
        self.input, self.target = torch.rand(2, batch_size, 3, 32, 32, device=device)
        self.step = self.captured() if captured else self.eager

    def eager(self) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = F.mse_loss(self.network(self.input), self.target)
        loss.backward()
        self.optimizer.step()
        return loss

    def captured(self) -> Callable[[], torch.Tensor]:
        """The step recorded once, to be replayed: no kernel is launched by Python."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.eager()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad()
        with torch.cuda.graph(graph):
            loss = self.eager()

        def replay() -> torch.Tensor:
            graph.replay()
            return loss

        return replay

    def steps(self, count: int) -> float:
        torch.backends.cudnn.allow_tf32 = self.tf32
        start = time.perf_counter()
        for _ in range(count):
            loss = self.step()
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
    parser.add_argument("--device", choices=WAYS, required=True)
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch finds no CUDA device here; only --backend flex and ndarray can be measured beside it")
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    ways = list(WAYS[args.device])
    version = f"PyTorch {torch.__version__}"
    print(json.dumps({"version": version, "ways": [version + way for way in ways]}), flush=True)
    trainings: dict[tuple[int, str, int], Training] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "layer" in request:
            layer = Layer(request["layer"], request["batch_size"])
            print(json.dumps(layer.passes(request["seconds"])), flush=True)
            continue
        key = request["way"], request["network"], request["batch_size"]
        if key not in trainings:
            way, network, batch_size = key
            trainings[key] = Training(network, batch_size, args.device, ways[way])
        seconds = repeat(lambda: trainings[key].steps(request["steps"]), request["seconds"])
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
