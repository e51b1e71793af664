"""Golden vectors for the networks. Made with Python 3.11, torch 2.9.1, numpy 2.4.6 and safetensors 0.8.0
(see benches/peers/requirements.txt):

    python crates/model/tests/data/generate.py

Each file holds `param.NAME` for every entry of the state dict, `input`, `target`, `output`, `loss`
(their MSE), `grad.NAME` for every parameter and `grad.input`. The gradient of a shared block stands
once, under its first index. The metadata entry `config` is the configuration, as JSON.

With batch normalization, `after.NAME` are the running statistics after that pass, and `evaluated` is what
the network then makes of `input` outside of training.

`trajectory` instead holds `inputs` and `targets` of 20 batches and the `losses` of as many steps of SGD.

Stored parameters and images are exact; the rest is computed from them in float64 and then stored in
float32, so that the reference's own rounding does not count.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[3] / "benches" / "peers"))

from simple_net import SimpleNet  # noqa: E402
from unet import UNet  # noqa: E402

# Height and width differ everywhere. Weight sharing in the middle of the decoder takes a depth of 4,
# and a depth of 2 has no middle.
CASES = {
    "unet_prelu": (dict(features=4, depth=4, share_weights=True, activation="prelu"), (16, 32)),
    "unet_prelu_depth_2": (dict(features=4, depth=2, share_weights=True, activation="prelu"), (8, 12)),
    "unet_relu_unshared": (dict(features=4, depth=3, share_weights=False, activation="relu"), (16, 24)),
    "unet_batch_norm": (dict(features=3, depth=2, batch_norm=True), (8, 12)),
    "unet_residual": (dict(features=3, depth=2, share_weights=False, output="residual"), (12, 8)),
}


def floats(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state dict, less how many batches a normalization has seen."""
    return {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}


def generate(seed: int, make, options: dict, size: tuple[int, int]) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = make(**options)
    for module in network.modules():
        if isinstance(module, nn.PReLU):  # the default, 0.25 for all, would hide a mix-up
            nn.init.uniform_(module.weight, -0.5, 0.5)
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
    x, target = torch.rand(2, 2, 3, *size)

    network, x, target = network.double(), x.double().requires_grad_(), target.double()
    tensors = {f"param.{name}": tensor.clone() for name, tensor in floats(network).items()}
    output = network(x)
    loss = F.mse_loss(output, target)
    loss.backward()

    tensors |= {f"grad.{name}": parameter.grad for name, parameter in network.named_parameters()}
    tensors |= {"input": x, "target": target, "output": output, "loss": loss, "grad.input": x.grad}
    if options.get("batch_norm"):
        tensors |= {f"after.{name}": tensor for name, tensor in floats(network).items() if "running" in name}
        tensors["evaluated"] = network.eval()(x)
    # A copy of each, because the file format has no shared storage.
    return {name: tensor.detach().float().clone().contiguous() for name, tensor in tensors.items()}


STEPS, BATCH_SIZE, LR = 20, 2, 1.0


def trajectory(seed: int, options: dict, size: tuple[int, int]) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = UNet(**options)
    tensors = {f"param.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    # A colour to learn, so that the losses fall and a wrong gradient shows.
    colour = torch.tensor([0.1, 0.4, 0.8])[:, None, None]
    targets = colour + 0.1 * torch.rand(STEPS, BATCH_SIZE, 3, *size)
    inputs = targets + 0.2 * torch.randn_like(targets)

    network = network.double()
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    losses = []
    for x, target in zip(inputs.double(), targets.double()):
        optimizer.zero_grad()
        loss = F.mse_loss(network(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return tensors | {"inputs": inputs, "targets": targets, "losses": torch.tensor(losses)}


if __name__ == "__main__":
    for seed, (name, (options, size)) in zip((0, 1, 2, 5, 6), CASES.items()):
        # One entry: the order of several is random in the file.
        metadata = {"config": json.dumps(options)}
        save_file(generate(seed, UNet, options, size), HERE / f"{name}.safetensors", metadata)
    options = dict(features=6)
    metadata = {"config": json.dumps(options)}
    save_file(generate(4, SimpleNet, options, (8, 12)), HERE / "simple.safetensors", metadata)
    options, size = CASES["unet_prelu_depth_2"]
    metadata = {"config": json.dumps(options | {"lr": LR})}
    save_file(trajectory(3, options, size), HERE / "trajectory.safetensors", metadata)
