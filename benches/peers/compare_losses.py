"""Compares the first losses of n2n and of the peer, from the same initial weights and batches:

    n2n train configs/seed-unet.toml --data DATA --run-dir RUN \\
        --set train.max_images=1600 --set train.validate_every=1 --set train.scheduler.kind=constant
    python benches/peers/train.py --data DATA --init RUN/initial.safetensors \\
        --max-images 1600 --losses losses.json --out peer.jsonl
    python benches/peers/compare_losses.py RUN/metrics.jsonl losses.json

With a validation after every batch, `train_loss` is the loss of one batch. The learning rate is constant,
because a scheduler would react to each validation.
"""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("metrics", type=Path)
parser.add_argument("losses", type=Path)
arguments = parser.parse_args()

ours = [json.loads(line)["train_loss"] for line in arguments.metrics.read_text().splitlines()]
peers = json.loads(arguments.losses.read_text())
errors = [abs(a - b) / b for a, b in zip(ours, peers)]
worst = max(range(len(errors)), key=errors.__getitem__)
print(f"{len(errors)} losses, largest relative difference {errors[worst]:.2e} at batch {worst + 1}")
