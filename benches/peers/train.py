"""The reference training of either network in PyTorch, on the CPU.

SGD without momentum, batches in file order, mean squared error between values in [0, 1], no
normalization. The U-Net: learning rate 1, batches of 16, every 150 batches the validation MSE is fed to
ReduceLROnPlateau. The simple net: learning rate 10, batches of 32, a validation after each epoch.

    python train.py --data FOLDER --out metrics.jsonl
    python train.py --network simple --data FOLDER --max-images 250000 --out metrics.jsonl
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from simple_net import SimpleNet
from unet import UNet


@dataclass(frozen=True)
class Protocol:
    network: type[nn.Module]
    lr: float
    batch_size: int
    batches_between_validations: int | None  # None: an epoch
    lowers_lr: bool


PROTOCOLS = {
    "unet": Protocol(UNet, 1.0, 16, 150, lowers_lr=True),
    "simple": Protocol(SimpleNet, 10.0, 32, None, lowers_lr=False),
}


def load_pairs(path: Path) -> tuple[Tensor, Tensor]:
    """Two uint8 tensors `[N, 3, H, W]`: inputs and targets."""
    inputs, targets = torch.load(path, weights_only=True)
    return inputs, targets


def to_unit(images: Tensor) -> Tensor:
    return images.float() / 255


def batches_in_file_order(inputs: Tensor, targets: Tensor, batch_size: int, max_images: int):
    """Batches of the file in order, repeated until `max_images` images."""
    seen = 0
    while seen < max_images:
        for x, y in zip(inputs.split(batch_size), targets.split(batch_size)):
            if seen >= max_images:
                return
            x, y = x[: max_images - seen], y[: max_images - seen]
            seen += len(x)
            yield to_unit(x), to_unit(y)


@torch.no_grad()
def validate(network: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
    """MSE over all pixels, and the mean PSNR of the images in dB."""
    mse = torch.cat(
        [
            (network(to_unit(x)) - to_unit(y)).square().mean(dim=(1, 2, 3), dtype=torch.float64)
            for x, y in zip(inputs.split(100), targets.split(100))
        ]
    )
    return mse.mean().item(), (-10 * mse.log10()).mean().item()


def train(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    protocol = PROTOCOLS[args.network]
    network = protocol.network()
    if args.init:
        network.load_state_dict(load_file(args.init))
    if args.save_init:
        # The file format has no shared storage, so each name of a shared block gets a copy.
        save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, args.save_init)

    optimizer = torch.optim.SGD(network.parameters(), lr=protocol.lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel"
    )
    training = load_pairs(args.data / "train_data.pkl")
    validation = load_pairs(args.data / "val_data.pkl")
    epoch = -(-len(training[0]) // protocol.batch_size)
    interval = protocol.batches_between_validations or epoch

    start = time.perf_counter()
    images, losses, validated = 0, [], 0

    def report(metrics):
        nonlocal validated
        val_mse, psnr_db = validate(network, *validation)
        recent = losses[validated:]
        validated = len(losses)
        record = {
            "images": images,
            "batches": len(losses),
            "train_loss": sum(recent) / len(recent),
            "val_mse": val_mse,
            "psnr_db": psnr_db,
            "lr": optimizer.param_groups[0]["lr"],  # of the batches since the last record
            "seconds": time.perf_counter() - start,
        }
        metrics.write(json.dumps(record) + "\n")
        metrics.flush()
        print(record, flush=True)
        if protocol.lowers_lr:
            scheduler.step(val_mse)

    with args.out.open("w") as metrics:
        for x, y in batches_in_file_order(*training, protocol.batch_size, args.max_images):
            loss = F.mse_loss(network(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            images += len(x)
            losses.append(loss.item())
            if len(losses) % interval == 0:
                report(metrics)
        if validated < len(losses):
            report(metrics)
    if args.losses:
        args.losses.write_text(json.dumps(losses))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=PROTOCOLS, default="unet", help="(default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder of train_data.pkl and val_data.pkl")
    parser.add_argument("--max-images", type=int, default=50_000, help="noisy images to train on (default: %(default)s)")
    parser.add_argument("--init", type=Path, help="safetensors file of initial weights, under PyTorch's names")
    parser.add_argument("--save-init", type=Path, help="where to save the initial weights")
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--out", type=Path, default=Path("metrics.jsonl"), help="one JSON record per validation (default: %(default)s)")
    parser.add_argument("--losses", type=Path, help="where to save the training loss of every batch, as a JSON list")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
