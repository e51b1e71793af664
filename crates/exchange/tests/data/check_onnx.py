"""Holds ONNX models of `n2n export` to the model files they were made from.

`python check_onnx.py MODEL.safetensors MODEL.onnx [MODEL.safetensors MODEL.onnx ...]` runs ONNX's own
checker, and computes images of three sizes with onnxruntime in float32 and with PyTorch in float64
(benches/peers/load_n2n.py).
It prints the largest differences, and fails above 1e-5. Made with torch 2.9.1, onnx 1.23.2 and
onnxruntime 1.32.0.
"""

import sys
from pathlib import Path

import onnx
import onnxruntime
import torch

sys.path.insert(0, str(Path(__file__).parents[4] / "benches/peers"))

from load_n2n import load  # noqa: E402

# Outputs lie in or around [0, 1]: what is left is the rounding of float32.
TOLERANCE = 1e-5

# Batch size, and sides in multiples of what the network needs.
SIZES = (1, 1, 3), (2, 4, 2), (3, 5, 7)


def sizes(session: onnxruntime.InferenceSession) -> list[tuple[int, ...]]:
    """Three shapes that the model takes: where it fixes the sides, batches differ only."""
    _, channels, *sides = session.get_inputs()[0].shape
    divisor = int(session.get_modelmeta().custom_metadata_map["divisor"])
    axis = lambda side, times: times * divisor if isinstance(side, str) else side  # noqa: E731
    return [(n, channels, axis(sides[0], h), axis(sides[1], w)) for n, h, w in SIZES]


def differences(weights: str, model: str) -> list[tuple[tuple[int, ...], float]]:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    denoiser = load(weights).double()
    found = []
    for shape in sizes(session):
        x = torch.rand(shape)
        if shape[0] > 1:
            x[-1, 0] = 0.25  # flat: nothing to divide by
        low, extent = denoiser.low.float(), denoiser.extent.float()
        x = low + extent * x  # samples of the model's range
        (y,) = session.run(["denoised"], {"noisy": x.numpy()})
        with torch.no_grad():
            expected = denoiser(x.double())
        assert y.shape == shape, (y.shape, shape)
        y, expected = ((values - low) / extent for values in (torch.from_numpy(y).double(), expected))
        assert expected.std() > 10 * TOLERANCE, f"{model}: a constant output would hide differences"
        found.append((shape, (y - expected).abs().max().item()))
    return found


def main() -> None:
    torch.manual_seed(1)
    paths = sys.argv[1:]
    if not paths or len(paths) % 2:
        sys.exit(__doc__)
    failed = False
    for weights, model in zip(paths[::2], paths[1::2]):
        for shape, difference in differences(weights, model):
            failed |= not difference <= TOLERANCE
            print(f"{model}: {list(shape)}: largest difference {difference:.1e}")
    if failed:
        sys.exit(f"above {TOLERANCE}")


if __name__ == "__main__":
    main()
