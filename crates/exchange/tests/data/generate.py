"""Makes the small checkpoints that the tests import, each with an input and PyTorch's output.

Made with Python 3.11 and the packages of benches/peers/requirements.txt, and onnx 1.23.2 for
`fields.onnx`, run as `python generate.py` in this folder. The networks are those of benches/peers.
Sides, channels and features all differ where they may, so that a mix-up shows; outputs were computed in
float64. Running it again gives the same files, except for the storage keys inside `*_legacy.pth`, which
are memory addresses.
"""

import os
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[4] / "benches/peers"))

from simple_net import SimpleNet  # noqa: E402
from unet import UNet  # noqa: E402


def trained(network):
    """Parameters away from their start, so that every one of them matters."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(std=0.1)
                layer.running_var.uniform_(0.5, 2.0)
    return network.eval()


def golden(network, channels, height, width):
    """An input and the network's output, each rounded to float32 once."""
    x = torch.rand(2, channels, height, width)
    with torch.no_grad():
        y = network.double()(x.double())
    assert y.std(dim=(0, 2, 3)).min() > 1e-2, "a constant output would hide mistakes"
    network.float()
    return {"input": x, "output": y.float()}


def write(name, network, size, state=None, legacy=False):
    save_file(golden(network, *size), f"{name}.golden")
    state = network.state_dict() if state is None else state
    torch.save(state, f"{name}.pth")
    if legacy:
        torch.save(state, f"{name}_legacy.pth", _use_new_zipfile_serialization=False)


def renamed(network, names):
    """The state dict under other names of its layers."""
    layers = dict(zip(["conv0", "conv1", "tconv0", "tconv1"], names))
    return OrderedDict(
        (".".join([layers[layer], parameter]), value)
        for (layer, parameter), value in (
            (name.split("."), value) for name, value in network.state_dict().items()
        )
    )


def checkpoint(network):
    """As a training script writes it: wrapped, beside its optimizer and more."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.0)
    network(torch.rand(1, 3, 4, 8)).sum().backward()
    optimizer.step()
    return {
        "epoch": 7,
        "loss": 0.5,
        "optimizer": optimizer.state_dict(),
        "model_state_dict": nn.DataParallel(network).state_dict(),
    }


def half_precision(network):
    """The other types of floats, and a parameter whose elements lie apart."""
    state = network.state_dict()
    state["conv0.weight"] = state["conv0.weight"].contiguous(memory_format=torch.channels_last)
    state["conv0.bias"] = state["conv0.bias"].double()
    state["conv1.weight"] = state["conv1.weight"].half()
    state["tconv0.weight"] = state["tconv0.weight"].bfloat16()
    # What was lost is lost for PyTorch too.
    network.load_state_dict(state)
    return state


def resnet():
    """The names of another network."""
    return nn.ModuleDict({"conv1": nn.Conv2d(3, 4, 7), "bn1": nn.BatchNorm2d(4), "fc": nn.Linear(4, 2)})


class Hostile:
    """Runs a command in any reader that executes what a pickle asks for."""

    def __reduce__(self):
        return os.system, ("touch hostile-pickle-was-run",)


def bad(network):
    """Checkpoints that must be refused."""

    def variant(name, change):
        state = OrderedDict(network.state_dict())
        change(state)
        torch.save(state, f"bad_{name}.pth")

    variant("missing", lambda state: state.pop("dblocks.1.conv0.bias"))
    variant("stem", lambda state: state.pop("conv0.weight"))
    variant("shape", lambda state: state.update({"conv1.weight": torch.zeros(2, 2, 5, 3)}))
    variant("unexpected", lambda state: state.update({"conv3.weight": torch.zeros(3)}))
    variant("nan", lambda state: state.update({"conv1.bias": torch.tensor([0.0, float("nan")])}))
    variant("large", lambda state: state.update({"conv1.bias": torch.full((2,), 1e300, dtype=torch.float64)}))
    variant("integers", lambda state: state.update({"conv1.bias": torch.zeros(2, dtype=torch.int64)}))
    variant("depth", lambda state: state.update({"eblocks.16.conv.bias": torch.zeros(2)}))
    variant("hostile", lambda state: state.update({"conv1.bias": Hostile()}))
    torch.save(resnet().state_dict(), "bad_resnet.pth")
    torch.save(renamed(SimpleNet(2), ["up1", "up2", "down1", "down2"]), "bad_order.pth")


def fields():
    """A model with every field that n2n writes, by ONNX's own library."""
    from onnx import TensorProto, helper, numpy_helper, save

    import numpy as np

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], name="c", kernel_shape=[1, 300], alpha=-0.5),
        helper.make_node("Resize", ["y", "", "s"], ["z"], name="r", mode="nearest", axis=-1),
    ]
    weight = numpy_helper.from_array(np.array([[1.5, -2.25]], dtype=np.float32), "w")
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", 640])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [0, "W"])],
        [weight],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, producer_name="p", opset_imports=[opset], ir_version=8)
    model.producer_version, model.doc_string = "1", "d"
    helper.set_model_props(model, {"key": "value"})
    save(model, "fields.onnx")


def main():
    torch.manual_seed(1)
    unet = trained(UNet(features=3, depth=3))
    write("unet_shared_prelu", unet, (3, 8, 24), legacy=True)
    unet = trained(UNet(features=2, depth=4, activation="relu"))
    write("unet_shared_relu", unet, (3, 16, 32))
    unet = trained(UNet(features=4, depth=2, share_weights=False, channels=1))
    write("unet_unshared_prelu", unet, (1, 12, 8))
    unet = trained(UNet(features=2, depth=3, share_weights=False, activation="relu"))
    write("unet_unshared_relu", unet, (3, 16, 8), legacy=True)
    unet = trained(UNet(features=3, depth=3, batch_norm=True))
    write("unet_batch_norm", unet, (3, 8, 16))

    simple = trained(SimpleNet(features=5))
    write("simple", simple, (3, 4, 12), legacy=True)
    write("simple_sequential", simple, (3, 8, 4), renamed(simple, "0246"))
    write("simple_numbered", simple, (3, 8, 4), renamed(simple, ["net.conv1", "net.conv2", "net.conv3", "net.conv4"]))
    write("simple_deconv", simple, (3, 8, 4), renamed(simple, ["conv1", "conv2", "deconv1", "deconv2"]))
    write("simple_checkpoint", simple, (3, 4, 8), checkpoint(simple))
    simple = trained(SimpleNet(features=6, channels=1))
    state = half_precision(simple)
    write("simple_half", simple, (1, 8, 12), state)

    bad(trained(UNet(features=2, depth=2)))
    fields()


if __name__ == "__main__":
    main()
