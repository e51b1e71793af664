"""Makes the small `torch.save` files that the tests of `open_torch` and `open_state_dict` read.

Made with Python 3.11 and torch 2.9.1 (pip install torch==2.9.1 numpy), run as `python generate.py` in
this folder. The pixels are a formula, so the tests need no second copy of them. Running it again gives
the same files, except for the storage keys inside the legacy files, which are memory addresses.
"""

import os
from collections import OrderedDict

import torch
from torch import nn

N, C, H, W = 2, 3, 5, 7  # all different, so that a mix-up of axes shows


def images(which, shape=(N, C, H, W)):
    """Image set number `which`: pixel i, in C order, is (37 * i + 11 * which) mod 251."""
    count = torch.Size(shape).numel()
    return ((37 * torch.arange(count) + 11 * which) % 251).to(torch.uint8).reshape(shape)


def parameters(shape, dtype=torch.float32):
    """Element i, in C order, is (37 * i mod 251 - 100) / 64: exact in every kind of float."""
    count = torch.Size(shape).numel()
    return (((37 * torch.arange(count)) % 251 - 100) / 64).to(dtype).reshape(shape)


def state_dict():
    """Tensors of every kind of float and layout, in an order that is not that of the names."""
    shared = parameters((2, 3, 5, 4))
    return OrderedDict(
        {
            "shared.1": shared,
            "shared.0": shared,
            "double": parameters((3, 2), torch.float64),
            "half": parameters((2, 4), torch.float16),
            "brain": parameters((5, 3), torch.bfloat16),
            "channels_last": parameters((2, 3, 5, 4)).contiguous(memory_format=torch.channels_last),
            "transposed": parameters((2, 3)).t().contiguous().t(),
            "slice": torch.cat([torch.zeros(2, 3), parameters((2, 3))])[2:],
            "scalar": parameters(()),
            "empty": parameters((2, 0)),
            "num_batches_tracked": torch.tensor(7),
            "note": "not a tensor",
        }
    )


def network():
    layers = nn.Sequential(nn.Conv2d(3, 2, (1, 2)), nn.PReLU(), nn.BatchNorm2d(2))
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(parameters(parameter.shape))
    return layers


def checkpoint():
    """A network beside its optimizer, after a step, and more."""
    layers = network()
    optimizer = torch.optim.Adam(layers.parameters(), lr=0.0)
    layers(torch.ones(2, 3, 2, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "loss": 0.25,
        "optimizer": optimizer.state_dict(),
        "ema": network().state_dict(),
        "model_state_dict": layers.state_dict(),
    }


class Hostile:
    """Runs a command in any reader that executes what a pickle asks for."""

    def __reduce__(self):
        return os.system, ("touch hostile-pickle-was-run",)


def main():
    pairs = (images(0), images(1))
    torch.save(pairs, "pairs_zip.pkl")
    torch.save(pairs, "pairs_legacy.pkl", _use_new_zipfile_serialization=False)

    # The second tensor is a slice of a longer storage, the third has its channels last in memory.
    slice_of_three = torch.cat([images(9)[:1], images(1)])[1:]
    channels_last = images(2).contiguous(memory_format=torch.channels_last)
    torch.save((images(0), slice_of_three, channels_last), "triples_zip.pkl")

    torch.save((images(0).float(), images(1).float()), "float32.pkl")
    torch.save((images(0, (C, H, W)), images(1, (C, H, W))), "three_dim.pkl")
    torch.save((images(0), images(1, (N, C, W, H))), "shapes_differ.pkl")
    torch.save((images(0), Hostile()), "hostile.pkl")

    torch.save(state_dict(), "state_dict_zip.pth")
    torch.save(state_dict(), "state_dict_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state_dict(), "state_dict_protocol_4.pth", pickle_protocol=4)
    torch.save(checkpoint(), "checkpoint.pth")
    torch.save(checkpoint(), "checkpoint_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(dict(network().named_parameters()), "parameters.pth")
    torch.save({"first": network().state_dict(), "second": network().state_dict()}, "two_networks.pth")
    torch.save({"epoch": 3, "lr": 0.5, "history": [1, 2]}, "no_network.pth")
    torch.save(network(), "whole_module.pth")
    torch.save({"weight": parameters((2, 3)), "bias": Hostile()}, "hostile.pth")


if __name__ == "__main__":
    main()
