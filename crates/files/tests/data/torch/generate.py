"""Makes the small `torch.save` files that the tests of `open_torch` read.

Made with Python 3.11 and torch 2.9.1 (pip install torch==2.9.1 numpy), run as `python generate.py` in
this folder. The pixels are a formula, so the tests need no second copy of them. Running it again gives
the same files, except for the storage keys inside pairs_legacy.pkl, which are memory addresses.
"""

import os

import torch

N, C, H, W = 2, 3, 5, 7  # all different, so that a mix-up of axes shows


def images(which, shape=(N, C, H, W)):
    """Image set number `which`: pixel i, in C order, is (37 * i + 11 * which) mod 251."""
    count = torch.Size(shape).numel()
    return ((37 * torch.arange(count) + 11 * which) % 251).to(torch.uint8).reshape(shape)


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


if __name__ == "__main__":
    main()
