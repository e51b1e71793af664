"""Golden vectors with gradients for the layers. Made with Python 3.11, torch 2.9.1, numpy 2.4.6 and safetensors 0.8.0
(see benches/peers/requirements.txt):

    python crates/scratch/tests/data/generate.py

The file holds, for every case, `CASE.x`, `CASE.output`, `CASE.output_grad` (the vector of the vector-Jacobian product)
and `CASE.x_grad`; where the operation has them, `weight`, `bias`, `alpha` and `y` too, each with its `_grad`. Layouts
are PyTorch's: the weight is [C_out, C_in / groups, h, w] for conv2d and [C_in, C_out / groups, h, w] for
conv_transpose2d, and the matrices of unfold and fold are [N, C * h * w, L]. The metadata entry `cases` lists the cases
as JSON, by name.

Values of an `exact` case are integers in [-3, 3], so float32 arithmetic in any order gives the stored numbers. Those of
the others are normal, rounded to multiples of 2^-20: they are exact in float32, and the sums of their products are
exact in float64, in any order. Everything is computed in float64 and stored in float32.
"""

import json
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
NONE = ((0, 0), (0, 0))


def both(vertical: int, horizontal: int) -> tuple:
    """The same padding on opposite sides."""
    return ((vertical, vertical), (horizontal, horizontal))


@dataclass
class Geometry:
    shape: tuple[int, int, int, int]  # of the image: the input, or for `fold` the output
    kernel_size: tuple[int, int]
    channels_out: int = 0  # of the convolutions
    stride: tuple[int, int] = (1, 1)
    padding: tuple = NONE  # (top, bottom), (left, right)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    output_padding: tuple[int, int] = (0, 0)
    bias: bool = True

    def describe(self) -> dict:
        keys = ("kernel_size", "stride", "padding", "dilation", "groups", "output_padding")
        return {key: getattr(self, key) for key in keys}

    def pad(self, x: Tensor) -> Tensor:
        return F.pad(x, (*self.padding[1], *self.padding[0]))

    def crop(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = self.padding
        return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


# No two of batch, channels, height and width agree, nor do the axes of anything, unless the case is about that.
# fmt: off
G = Geometry
CONV2D = {
    "plain_integer": G((3, 2, 6, 8), (2, 3), 4),
    "batch_1_float": G((1, 3, 6, 8), (3, 2), 2),
    "no_bias_float": G((3, 4, 5, 8), (2, 4), 2, bias=False),
    "batch_1_no_bias_integer": G((1, 4, 5, 7), (3, 2), 3, bias=False),
    "one_channel_in_float": G((3, 1, 5, 8), (2, 4), 2),
    "one_channel_out_integer": G((3, 2, 5, 8), (4, 2), 1),
    "stride_unequal_float": G((3, 2, 7, 9), (2, 3), 4, stride=(1, 2)),
    "stride_equals_kernel_integer": G((1, 3, 8, 9), (2, 3), 2, stride=(2, 3)),
    "stride_leaves_rest_float": G((1, 2, 8, 15), (3, 4), 5, stride=(2, 3)),
    "stride_leaves_rest_integer": G((1, 2, 9, 17), (2, 3), 3, stride=(3, 4)),
    "stride_leaves_rest_on_one_axis_float": G((1, 3, 9, 8), (4, 2), 2, stride=(3, 2)),
    "stride_leaves_rest_beyond_padding_integer": G((1, 2, 9, 18), (2, 3), 3, stride=(4, 6), padding=((1, 1), (2, 1)), bias=False),
    "stride_beyond_kernel_integer": G((1, 2, 11, 10), (1, 2), 3, stride=(3, 5)),
    "stride_beyond_kernel_leaves_rest_float": G((1, 3, 13, 12), (3, 2), 2, stride=(4, 3)),
    "padding_unequal_integer": G((3, 2, 5, 6), (4, 2), 1, padding=both(2, 1)),
    "padding_asymmetric_float": G((3, 2, 5, 4), (2, 3), 1, padding=((1, 2), (0, 3))),
    "padding_asymmetric_stride_integer": G((1, 2, 7, 11), (3, 2), 3, stride=(2, 3), padding=((2, 0), (1, 3))),
    "padding_top_and_left_only_float": G((1, 3, 4, 6), (2, 3), 2, padding=((1, 0), (2, 0))),
    "padding_same_integer": G((3, 2, 5, 6), (2, 4), 1, padding=((0, 1), (1, 2))),
    "padding_beyond_kernel_float": G((1, 2, 4, 5), (2, 3), 3, padding=both(4, 5)),
    "padding_beyond_kernel_stride_integer": G((1, 2, 4, 6), (2, 3), 3, stride=(2, 3), padding=((5, 3), (4, 7))),
    "dilation_unequal_integer": G((3, 2, 8, 9), (3, 2), 1, dilation=(2, 3)),
    "dilation_padding_float": G((1, 2, 5, 6), (2, 3), 3, padding=both(1, 3), dilation=(3, 2)),
    "dilation_stride_leaves_rest_float": G((1, 2, 9, 16), (2, 3), 5, stride=(2, 3), dilation=(3, 2)),
    "dilation_and_stride_share_factor_integer": G((1, 2, 9, 17), (3, 2), 5, stride=(2, 3), dilation=(2, 6)),
    "groups_2_integer": G((3, 4, 5, 7), (2, 3), 2, groups=2),
    "groups_3_float": G((1, 6, 4, 5), (3, 2), 9, groups=3),
    "groups_3_padding_asymmetric_stride_no_bias_integer": G((2, 3, 5, 11), (2, 3), 6, stride=(2, 3), padding=((0, 1), (2, 0)), groups=3, bias=False),
    "depthwise_float": G((1, 4, 6, 8), (2, 3), 4, groups=4),
    "depthwise_multiplier_2_integer": G((1, 3, 5, 7), (3, 2), 6, groups=3),
    "depthwise_multiplier_3_stride_dilation_float": G((3, 2, 7, 8), (2, 3), 6, stride=(2, 1), dilation=(3, 2), groups=2),
    "kernel_1_by_n_float": G((3, 2, 4, 7), (1, 5), 4, padding=both(0, 2)),
    "kernel_n_by_1_integer": G((3, 2, 7, 5), (4, 1), 1, stride=(2, 1), padding=((1, 2), (0, 0))),
    "kernel_1_by_1_float": G((3, 2, 5, 4), (1, 1), 6),
    "kernel_1_by_1_stride_integer": G((1, 4, 6, 11), (1, 1), 2, stride=(2, 3)),
    "kernel_1_by_1_stride_padding_float": G((1, 3, 5, 7), (1, 1), 2, stride=(3, 2), padding=((2, 1), (0, 3))),
    "kernel_equals_input_float": G((3, 2, 4, 5), (4, 5), 6),
    "kernel_beyond_input_integer": G((1, 4, 2, 3), (5, 4), 2, padding=((2, 3), (1, 4))),
    "kernel_beyond_input_dilation_float": G((1, 3, 4, 5), (3, 2), 2, padding=both(2, 3), dilation=(3, 5)),
    "all_at_once_integer": G((3, 2, 8, 11), (2, 3), 4, stride=(3, 2), padding=((1, 2), (3, 0)), dilation=(3, 2), groups=2),
    "all_at_once_float": G((1, 4, 10, 7), (3, 2), 6, stride=(2, 3), padding=((0, 3), (4, 1)), dilation=(2, 5), groups=2, bias=False),
}
CONV_TRANSPOSE2D = {
    "plain_integer": G((3, 2, 4, 5), (2, 3), 1),
    "batch_1_float": G((1, 3, 4, 6), (3, 2), 2),
    "no_bias_float": G((3, 2, 4, 5), (2, 4), 1, bias=False),
    "batch_1_no_bias_integer": G((1, 4, 5, 3), (3, 2), 2, bias=False),
    "one_row_float": G((3, 2, 1, 4), (3, 2), 4, stride=(2, 3)),
    "stride_unequal_integer": G((3, 2, 4, 5), (3, 4), 1, stride=(1, 2)),
    "stride_equals_kernel_float": G((1, 3, 4, 5), (2, 3), 2, stride=(2, 3)),
    "stride_beyond_kernel_integer": G((1, 2, 4, 3), (1, 2), 3, stride=(3, 5)),
    "padding_unequal_float": G((3, 2, 5, 6), (4, 2), 1, padding=both(2, 1)),
    "padding_asymmetric_integer": G((1, 4, 6, 7), (2, 3), 2, padding=((1, 2), (0, 3))),
    "padding_asymmetric_stride_float": G((1, 3, 4, 5), (3, 2), 2, stride=(2, 3), padding=((2, 0), (1, 3))),
    "padding_beyond_kernel_integer": G((1, 2, 9, 13), (2, 3), 3, padding=both(3, 5)),
    "padding_beyond_kernel_stride_float": G((1, 2, 7, 6), (2, 3), 3, stride=(2, 3), padding=((5, 3), (4, 7))),
    "dilation_unequal_float": G((3, 2, 4, 6), (3, 2), 1, dilation=(2, 3)),
    "dilation_stride_integer": G((1, 2, 4, 3), (2, 3), 4, stride=(2, 3), dilation=(3, 2)),
    "dilation_and_stride_share_factor_padding_float": G((1, 2, 5, 4), (3, 2), 3, stride=(2, 3), padding=both(1, 2), dilation=(2, 6)),
    "groups_2_float": G((3, 4, 2, 5), (3, 2), 2, groups=2),
    "groups_3_integer": G((1, 6, 4, 5), (2, 3), 9, groups=3),
    "groups_3_padding_asymmetric_stride_no_bias_float": G((2, 6, 3, 4), (2, 3), 3, stride=(2, 3), padding=((0, 1), (2, 0)), groups=3, bias=False),
    "depthwise_integer": G((3, 4, 5, 2), (2, 3), 4, groups=4),
    "depthwise_multiplier_2_float": G((1, 3, 5, 4), (3, 2), 6, stride=(1, 2), groups=3),
    "depthwise_multiplier_3_integer": G((3, 2, 4, 5), (2, 1), 6, dilation=(3, 1), groups=2),
    "kernel_1_by_n_integer": G((3, 2, 4, 5), (1, 4), 1, stride=(1, 2), padding=both(0, 1)),
    "kernel_n_by_1_float": G((3, 2, 5, 4), (4, 1), 1, stride=(3, 1)),
    "kernel_1_by_1_integer": G((3, 2, 5, 4), (1, 1), 6),
    "kernel_1_by_1_stride_float": G((1, 3, 4, 5), (1, 1), 2, stride=(2, 3)),
    "output_padding_unequal_integer": G((1, 2, 4, 3), (2, 3), 4, stride=(3, 4), output_padding=(1, 2)),
    "output_padding_on_one_axis_float": G((1, 3, 4, 5), (3, 2), 2, stride=(1, 3), output_padding=(0, 2)),
    "output_padding_beyond_stride_integer": G((1, 2, 4, 5), (3, 2), 3, stride=(1, 2), dilation=(3, 4), output_padding=(2, 3)),
    "output_padding_beyond_stride_padding_float": G((1, 2, 5, 4), (2, 3), 3, stride=(2, 1), padding=((1, 2), (3, 1)), dilation=(4, 3), output_padding=(3, 1)),
    "output_padding_and_padding_integer": G((1, 3, 4, 5), (4, 3), 2, stride=(3, 2), padding=both(1, 2), output_padding=(2, 1)),
    "all_at_once_integer": G((1, 4, 5, 2), (2, 3), 6, stride=(2, 4), padding=((1, 2), (4, 1)), dilation=(3, 2), groups=2, output_padding=(1, 3)),
    "all_at_once_float": G((3, 4, 2, 5), (3, 2), 2, stride=(4, 2), padding=((3, 0), (1, 4)), dilation=(2, 5), groups=2, output_padding=(2, 4), bias=False),
}
FOLDING = {  # for `unfold` and `fold`
    "plain_integer": G((3, 2, 4, 5), (2, 3)),
    "padding_unequal_float": G((1, 2, 4, 5), (3, 2), padding=both(2, 1)),
    "padding_asymmetric_stride_integer": G((1, 2, 7, 8), (2, 3), stride=(2, 3), padding=((1, 2), (0, 3))),
    "stride_leaves_rest_float": G((3, 1, 8, 11), (2, 3), stride=(3, 2), dilation=(3, 2)),
    "stride_beyond_kernel_integer": G((1, 2, 11, 10), (1, 2), stride=(3, 5)),
    "all_at_once_float": G((3, 2, 6, 5), (3, 2), stride=(2, 3), padding=((0, 3), (4, 1)), dilation=(2, 5)),
}
# fmt: on

SHAPE = (3, 2, 4, 5)
ELEMENTWISE = {
    "relu_integer": ("relu", {"x": SHAPE}),
    "relu_float": ("relu", {"x": SHAPE}),
    "prelu_scalar_integer": ("prelu", {"x": SHAPE, "alpha": (1,)}),
    "prelu_scalar_float": ("prelu", {"x": SHAPE, "alpha": (1,)}),
    "prelu_per_channel_integer": ("prelu", {"x": SHAPE, "alpha": (2,)}),
    "prelu_per_channel_float": ("prelu", {"x": SHAPE, "alpha": (2,)}),
    "sigmoid_float": ("sigmoid", {"x": SHAPE}),
    "sigmoid_saturated_float": ("sigmoid", {"x": SHAPE}),
    # The mean over a power of two is exact.
    "mse_integer": ("mse", {"x": (1, 2, 8, 4), "y": (1, 2, 8, 4)}),
    "mse_float": ("mse", {"x": SHAPE, "y": SHAPE}),
}
FUNCTIONS = {"relu": F.relu, "prelu": F.prelu, "sigmoid": torch.sigmoid, "mse": F.mse_loss}


def conv2d(geometry: Geometry, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    g = geometry
    return F.conv2d(g.pad(x), weight, bias, g.stride, 0, g.dilation, g.groups)


def conv_transpose2d(geometry: Geometry, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    g = geometry
    return g.crop(F.conv_transpose2d(x, weight, bias, g.stride, 0, g.output_padding, g.groups, g.dilation))


def unfold(geometry: Geometry, x: Tensor) -> Tensor:
    g = geometry
    return F.unfold(g.pad(x), g.kernel_size, g.dilation, 0, g.stride)


def fold(geometry: Geometry, x: Tensor) -> Tensor:
    g = geometry
    padded = [size + sum(padding) for size, padding in zip(g.shape[2:], g.padding)]
    return g.crop(F.fold(x, padded, g.kernel_size, g.dilation, 0, g.stride))


def cases():
    """Yields the description of each case, the shapes of its inputs and its function."""
    for op, geometries in ((conv2d, CONV2D), (conv_transpose2d, CONV_TRANSPOSE2D)):
        for name, g in geometries.items():
            channels = (g.channels_out, g.shape[1]) if op is conv2d else (g.shape[1], g.channels_out)
            shapes = {"x": g.shape, "weight": (channels[0], channels[1] // g.groups, *g.kernel_size)}
            if g.bias:
                shapes["bias"] = (g.channels_out,)
            description = {"name": f"{op.__name__}_{name}", "op": op.__name__} | g.describe()
            yield description, shapes, partial(op, g)
    for name, g in FOLDING.items():
        description = {"name": f"unfold_{name}", "op": "unfold"} | g.describe()
        yield description, {"x": g.shape}, partial(unfold, g)
        description = {"name": f"fold_{name}", "op": "fold"} | g.describe() | {"output_size": g.shape[2:]}
        yield description, {"x": tuple(unfold(g, torch.zeros(g.shape)).shape)}, partial(fold, g)
    for name, (op, shapes) in ELEMENTWISE.items():
        yield {"name": name, "op": op}, shapes, FUNCTIONS[op]


def generate(description: dict, shapes: dict, function) -> dict[str, Tensor]:
    name = description["name"]
    # Seeded by the name, so that a new case leaves the others as they are.
    rng = np.random.default_rng(zlib.crc32(name.encode()))

    def draw(shape: tuple) -> Tensor:
        if description["exact"]:
            values = rng.integers(-3, 4, shape).astype(np.float64)
        else:
            values = np.round(rng.standard_normal(shape) * 2**20) / 2**20
        return torch.as_tensor(values, dtype=torch.float64)

    inputs = {key: draw(shape) for key, shape in shapes.items()}
    if description["op"] in ("relu", "prelu"):
        inputs["x"][0, :, 1, 2] = 0.0  # PyTorch's choice of the derivative at the kink
    if name == "sigmoid_saturated_float":
        inputs["x"] *= 64.0
    for tensor in inputs.values():
        tensor.requires_grad_()

    output = function(*inputs.values())
    output_grad = draw(tuple(output.shape))
    gradients = torch.autograd.grad(output, list(inputs.values()), output_grad)

    tensors = inputs | {"output": output, "output_grad": output_grad}
    tensors |= {f"{key}_grad": gradient for key, gradient in zip(inputs, gradients)}
    # Adding zero makes a negative zero positive and copies, because the file format has no shared storage.
    return {f"{name}.{key}": (tensor.detach().float() + 0.0).contiguous() for key, tensor in tensors.items()}


if __name__ == "__main__":
    tensors, descriptions = {}, []
    for description, shapes, function in cases():
        description["exact"] = description["name"].endswith("_integer")
        descriptions.append(description)
        tensors |= generate(description, shapes, function)
    descriptions.sort(key=lambda description: description["name"])
    save_file(tensors, HERE / "golden.safetensors", {"cases": json.dumps(descriptions)})
