"""Golden vectors for the U-Net. Made with Python 3.11, torch 2.9.1, numpy 2.4.6 and safetensors 0.8.0
(see benches/peers/requirements.txt):

    python crates/model/tests/data/generate.py

Each file holds `param.NAME` for every entry of the state dict, `input`, `target`, `output`, `loss`
(their MSE), `grad.NAME` for every parameter and `grad.input`. The gradient of a shared block stands
once, under its first index. The metadata entry `config` is the configuration, as JSON.

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

from unet import UNet  # noqa: E402

# Height and width differ everywhere. Weight sharing in the middle of the decoder takes a depth of 4,
# and a depth of 2 has no middle.
CASES = {
    "unet_prelu": (dict(features=4, depth=4, share_weights=True, activation="prelu"), (16, 32)),
    "unet_prelu_depth_2": (dict(features=4, depth=2, share_weights=True, activation="prelu"), (8, 12)),
    "unet_relu_unshared": (dict(features=4, depth=3, share_weights=False, activation="relu"), (16, 24)),
}


def generate(seed: int, options: dict, size: tuple[int, int]) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = UNet(**options)
    for module in network.modules():
        if isinstance(module, nn.PReLU):  # the default, 0.25 for all, would hide a mix-up
            nn.init.uniform_(module.weight, -0.5, 0.5)
    x, target = torch.rand(2, 2, 3, *size)

    network, x, target = network.double(), x.double().requires_grad_(), target.double()
    output = network(x)
    loss = F.mse_loss(output, target)
    loss.backward()

    tensors = {f"param.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"grad.{name}": parameter.grad for name, parameter in network.named_parameters()}
    tensors |= {"input": x, "target": target, "output": output, "loss": loss, "grad.input": x.grad}
    # A copy of each, because the file format has no shared storage.
    return {name: tensor.detach().float().clone().contiguous() for name, tensor in tensors.items()}


if __name__ == "__main__":
    for seed, (name, (options, size)) in enumerate(CASES.items()):
        # One entry: the order of several is random in the file.
        metadata = {"config": json.dumps(options)}
        save_file(generate(seed, options, size), HERE / f"{name}.safetensors", metadata)
