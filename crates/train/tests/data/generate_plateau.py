"""Learning rates of PyTorch's ReduceLROnPlateau. Made with Python 3.11 and torch 2.9.1
(see benches/peers/requirements.txt):

    python crates/train/tests/data/generate_plateau.py

A case holds the options (mode "min", relative threshold), the metrics fed, and the learning rate
after each of them.
"""

import random
from pathlib import Path

import torch

PROTOCOL = dict(factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0, eps=1e-8, initial_lr=1.0)


def falling(seed: int, decay: float, noise: float) -> list[float]:
    """Falls to a floor by `decay` at each step, with relative noise: it stalls sooner or later."""
    draw = random.Random(seed)
    return [(0.006 + 0.05 * decay**step) * (1 + noise * draw.uniform(-1, 1)) for step in range(60)]


def staircase(seed: int) -> list[float]:
    """Levels of random length, each a fifth below the last."""
    draw, metrics, level = random.Random(seed), [], 1.0
    while len(metrics) < 60:
        metrics += [level] * draw.randint(1, 15)
        level *= 0.8
    return metrics[:60]


def around_threshold(threshold: float) -> list[float]:
    """Just above, at and just below the value that counts as an improvement, in turn."""
    metrics, best = [1.0], 1.0
    for step in range(60):
        limit = best * (1 - threshold)
        metrics.append(limit * (1 + (1e-9, 0, -1e-9)[step % 3]))
        if step % 3 == 2:
            best = metrics[-1]
    return metrics


CASES = [
    (PROTOCOL, falling(0, 0.9, 0.0)),
    (PROTOCOL, falling(1, 0.8, 0.05)),
    (PROTOCOL, falling(2, 0.5, 0.2)),
    (PROTOCOL, [0.01] * 60),
    (PROTOCOL, [0.01 + 0.001 * step for step in range(60)]),
    (PROTOCOL, staircase(3)),
    (PROTOCOL | dict(patience=0, factor=0.7, initial_lr=0.3), falling(4, 0.8, 0.05)),
    (PROTOCOL | dict(patience=1, factor=0.5), falling(5, 0.8, 0.05)),
    (PROTOCOL | dict(patience=3, factor=0.5, cooldown=2), falling(6, 0.8, 0.05)),
    (PROTOCOL | dict(patience=3, factor=0.5, cooldown=2), staircase(7)),
    (PROTOCOL | dict(patience=0, factor=0.5, cooldown=2), [0.01] * 60),
    (PROTOCOL | dict(patience=0, factor=0.9, threshold=0.01), around_threshold(0.01)),
    (PROTOCOL | dict(patience=1, factor=0.5, threshold=1e-4), around_threshold(1e-4)),
    (PROTOCOL | dict(patience=1, factor=0.5, threshold=0.0), around_threshold(0.0)),
    (PROTOCOL | dict(patience=1, factor=0.3, min_lr=0.01), falling(8, 0.5, 0.05)),
    # The last step to min_lr is below eps, so the learning rate stays just above min_lr.
    (PROTOCOL | dict(patience=0, factor=0.5, min_lr=0.124, eps=1e-2), [0.01] * 60),
    # A change of eps or less is not made at all.
    (PROTOCOL | dict(patience=0, factor=0.5, initial_lr=1e-8), [0.01] * 60),
    (PROTOCOL | dict(patience=0, factor=0.1, initial_lr=1e-6), falling(9, 0.5, 0.05)),
]


def learning_rates(options: dict, metrics: list[float]) -> list[float]:
    options = dict(options)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=options.pop("initial_lr"))
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", threshold_mode="rel", **options)
    lrs = []
    for metric in metrics:
        scheduler.step(metric)
        lrs.append(optimizer.param_groups[0]["lr"])
    return lrs


if __name__ == "__main__":
    cases = [options | {"metrics": metrics, "lrs": learning_rates(options, metrics)} for options, metrics in CASES]
    # TOML, because its parser in Rust reads every decimal exactly; serde_json's does not.
    lines = ["\n".join(["[[case]]", *(f"{key} = {value!r}" for key, value in case.items())]) for case in cases]
    Path(__file__).with_name("plateau.toml").write_text("\n\n".join(lines) + "\n")
