"""Weights of a small network under PyTorch's optimizers, schedules, clipping, accumulation and running
mean. Made with Python 3.11 and torch 2.9.1 (see benches/peers/requirements.txt):

    python crates/train/tests/data/generate_updates.py

A case holds its settings as n2n takes them, the learning rate of each of 50 steps, and all weights
after steps 1, 10 and 50, in the order of the parameters. Weights start as `cos(i + p)`, gradients are
`0.05 sin(7 t + 3 i + 11 p + 5 k)`: value i of parameter p, step t, batch k of the step. All in float64.
"""

import math
import sys
from pathlib import Path

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[2].parent / "benches" / "peers"))

from simple_net import SimpleNet  # noqa: E402

STEPS, KEPT = 50, (1, 10, 50)
# What each validation, after every fifth step, reports to the plateau.
VALIDATE_EVERY = 5
METRICS = [1.0, 0.9, 0.95, 0.93, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6]

SGD = {"train.optimizer.kind": "sgd", "train.scheduler.kind": "constant", "train.lr": 0.1}
ADAM = SGD | {"train.optimizer.kind": "adam", "train.lr": 0.01}
CASES = [
    SGD,
    SGD | {"train.optimizer.momentum": 0.9, "train.optimizer.weight_decay": 0.02},
    SGD | {"train.optimizer.momentum": 0.8, "train.optimizer.nesterov": True},
    ADAM,
    ADAM | {"train.optimizer.betas": [0.8, 0.95], "train.optimizer.eps": 1e-4, "train.optimizer.weight_decay": 0.05},
    ADAM | {"train.optimizer.kind": "adamw", "train.optimizer.weight_decay": 0.3},
    ADAM | {"train.optimizer.kind": "adagrad", "train.optimizer.lr_decay": 0.1, "train.optimizer.weight_decay": 0.05},
    ADAM | {"train.optimizer.kind": "rmsprop"},
    ADAM
    | {
        "train.optimizer.kind": "rmsprop",
        "train.optimizer.alpha": 0.9,
        "train.optimizer.momentum": 0.6,
        "train.optimizer.centered": True,
        "train.optimizer.eps": 1e-3,
        "train.optimizer.weight_decay": 0.01,
    },
    SGD | {"train.clip_value": 0.02},
    SGD | {"train.clip_norm": 0.1, "train.optimizer.momentum": 0.9},
    SGD | {"train.clip_value": 0.04, "train.clip_norm": 0.15},
    SGD | {"train.clip_norm": 1e3},
    SGD | {"train.accumulate": 3, "train.clip_norm": 0.05},
    ADAM | {"train.accumulate": 2},
    SGD | {"train.ema": 0.9},
    ADAM | {"train.ema": 0.99},
    SGD | {"train.scheduler.kind": "cosine"},
    SGD | {"train.scheduler.kind": "cosine", "train.scheduler.warmup": 7, "train.scheduler.min_lr": 0.01},
    SGD | {"train.scheduler.kind": "step", "train.scheduler.step_size": 12},
    ADAM | {"train.scheduler.kind": "step", "train.scheduler.step_size": 9, "train.scheduler.gamma": 0.5},
    SGD
    | {"train.scheduler.kind": "plateau", "train.scheduler.patience": 1, "train.scheduler.factor": 0.5}
    | {"train.optimizer.momentum": 0.5},
]


def optimizer(parameters, options: dict) -> torch.optim.Optimizer:
    kinds = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "adagrad": torch.optim.Adagrad,
        "rmsprop": torch.optim.RMSprop,
    }
    return kinds[options.pop("kind")](parameters, **options)


def schedule(optimizer: torch.optim.Optimizer, options: dict):
    kind = options.pop("kind")
    if kind == "constant":
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if kind == "step":
        return lr_scheduler.StepLR(optimizer, options["step_size"], options.get("gamma", 0.1))
    if kind == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    warmup, min_lr = options.get("warmup", 0), options.get("min_lr", 0.0)
    cosine = lr_scheduler.CosineAnnealingLR(optimizer, STEPS - warmup, eta_min=min_lr)
    if warmup == 0:
        return cosine
    # Made anew: the schedules of a sequence change the learning rate as they are made.
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    fall = lr_scheduler.CosineAnnealingLR(optimizer, STEPS - warmup, eta_min=min_lr)
    return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[warmup])


def running_mean(most: float):
    """The average of `AveragedModel`; it copies the weights of the first step."""

    def follow(average, weight, steps):
        decay = min(most, (1 + steps.item()) / (10 + steps.item()))
        return decay * average + (1 - decay) * weight

    return follow


def options(case: dict, prefix: str) -> dict:
    return {key.removeprefix(prefix): value for key, value in case.items() if key.startswith(prefix)}


def run(case: dict) -> dict:
    network = SimpleNet(features=2).double()
    parameters = list(network.parameters())
    with torch.no_grad():
        for p, parameter in enumerate(parameters):
            parameter.copy_(torch.arange(parameter.numel()).add(p).double().cos().view_as(parameter))
    optim = optimizer(parameters, {"lr": case["train.lr"]} | options(case, "train.optimizer."))
    scheduler = schedule(optim, options(case, "train.scheduler."))
    average = None
    if "train.ema" in case:
        average = AveragedModel(network, avg_fn=running_mean(case["train.ema"]))
    lrs, weights = [], []
    for step in range(STEPS):
        optim.zero_grad()
        batches = case.get("train.accumulate", 1)
        for batch in range(batches):
            loss = 0.0
            for p, parameter in enumerate(parameters):
                i = torch.arange(parameter.numel()).double()
                gradient = 0.05 * torch.sin(7 * step + 3 * i + 11 * p + 5 * batch)
                loss = loss + (parameter.flatten() * gradient).sum()
            (loss / batches).backward()
        if "train.clip_value" in case:
            torch.nn.utils.clip_grad_value_(parameters, case["train.clip_value"])
        if "train.clip_norm" in case:
            torch.nn.utils.clip_grad_norm_(parameters, case["train.clip_norm"])
        lrs.append(optim.param_groups[0]["lr"])
        optim.step()
        if average is not None:
            average.update_parameters(network)
        if not isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step()
        elif (step + 1) % VALIDATE_EVERY == 0:
            scheduler.step(METRICS[step // VALIDATE_EVERY])
        if step + 1 in KEPT:
            judged = network if average is None else average.module
            weights.append([value for tensor in judged.parameters() for value in tensor.flatten().tolist()])
    assert all(math.isfinite(value) for values in weights for value in values)
    return {"lrs": lrs, "weights": weights}


def toml(value) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


if __name__ == "__main__":
    blocks = []
    for case in CASES:
        settings = [f"{key}={toml(value)}" for key, value in case.items()]
        lines = {"settings": settings} | run(case)
        blocks.append("\n".join(["[[case]]", *(f"{key} = {value!r}" for key, value in lines.items())]))
    head = f"kept = {list(KEPT)}\nvalidate_every = {VALIDATE_EVERY}\nmetrics = {METRICS}"
    (HERE / "updates.toml").write_text("\n\n".join([head, *blocks]) + "\n")
