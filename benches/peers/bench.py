"""Training steps of the reference networks in PyTorch, timed on request.

Reads one line of JSON from standard input for each measurement, `{"network": "unet", "batch_size": 16,
"seconds": 0.5}`, and answers with one: the seconds of each step, of at least three. The first line it prints names versions
and threads.

    python bench.py --threads 2
"""

import argparse
import json
import sys
import time

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

    def step(self) -> float:
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = F.mse_loss(self.network(self.input), self.target)
        loss.backward()
        self.optimizer.step()
        loss.item()
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(0)
    print(json.dumps({"version": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
    trainings: dict[tuple[str, int], Training] = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = request["network"], request["batch_size"]
        if key not in trainings:
            trainings[key] = Training(*key)
        seconds = []
        start = time.perf_counter()
        while len(seconds) < LEAST_STEPS or time.perf_counter() - start < request["seconds"]:
            seconds.append(trainings[key].step())
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
