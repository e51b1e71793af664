"""Makes images.bin and quality.json: image pairs and their quality by scikit-image, for the tests of
`quality`.

Made with Python 3.11 (pip install -r requirements.txt), run as `python generate.py` in this folder.
Running it again gives the same files.

- images.bin: for each case the two images, planar [channels, height, width], 16-bit signed
  little-endian numbers that are 1024 times the values, so single precision holds the values exactly.
- quality.json: for each case its name, shape, MSE, PSNR in dB (null where it is infinite) and SSIM.
"""

import json

import numpy as np
from scipy import ndimage
from skimage import metrics

STEPS = 1024  # per 1.0


def scene(rng, shape):
    """Slopes, edges and texture, in [0, 1]."""
    channels, height, width = shape
    y, x = np.mgrid[:height, :width]
    image = np.empty(shape)
    for channel in range(channels):
        slope = rng.uniform(0, 1, 2) @ [y.ravel() / height, x.ravel() / width]
        edge = (np.hypot(y - height / 3, x - width / 2) < rng.uniform(3, 9)) * rng.uniform(-0.5, 0.5)
        texture = 0.1 * np.sin(0.9 * x + rng.uniform(0, 2) * y)
        image[channel] = slope.reshape(height, width) / 2 + edge + texture + 0.2
    return np.clip(image, 0, 1)


def gaussian(rng, image):
    return image + rng.normal(0, 25 / 255, image.shape)


def strong(rng, image):
    return image + rng.normal(0, 0.5, image.shape)


def faint(rng, image):
    return image + rng.integers(-1, 2, image.shape) / STEPS


def poisson(rng, image):
    return rng.poisson(image * 30) / 30


def impulse(rng, image):
    lost = rng.random(image.shape[1:]) < 0.7
    return np.where(lost, rng.random(image.shape), image)


def salt_pepper(rng, image):
    draw = rng.random(image.shape[1:])
    return np.where(draw < 0.1, 0.0, np.where(draw > 0.9, 1.0, image))


def blurred(rng, image):
    return ndimage.gaussian_filter(image, (0, 2, 2))


def identical(rng, image):
    return image


def inverted(rng, image):
    return 1 - image


def flat(rng, image):
    image[:] = 0.25
    return np.full(image.shape, 0.5)


CASES = [
    (gaussian, (1, 11, 11)),  # one window
    (gaussian, (1, 13, 29)),
    (gaussian, (3, 30, 17)),
    (strong, (3, 16, 23)),
    (faint, (1, 22, 15)),
    (poisson, (3, 24, 37)),
    (impulse, (3, 33, 16)),
    (salt_pepper, (1, 19, 12)),
    (blurred, (3, 18, 27)),
    (identical, (3, 14, 25)),
    (inverted, (1, 21, 34)),
    (inverted, (3, 12, 20)),
    (flat, (1, 15, 12)),
    (gaussian, (4, 11, 18)),
]


def quantized(image):
    return np.round(image * STEPS).astype("<i2")


def main():
    rng = np.random.default_rng(7)
    stored, cases = [], []
    for change, shape in CASES:
        a = scene(rng, shape)
        b = change(rng, a)
        pair = [quantized(a), quantized(b)]
        stored += [image.tobytes() for image in pair]
        a, b = [image.astype(np.float64) / STEPS for image in pair]
        mse = metrics.mean_squared_error(a, b)
        ssim = metrics.structural_similarity(
            a,
            b,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=0,
        )
        case = {"name": change.__name__, "shape": shape, "mse": float(mse), "psnr_db": None}
        if mse > 0:
            case["psnr_db"] = float(metrics.peak_signal_noise_ratio(a, b, data_range=1))
        cases.append({**case, "ssim": float(ssim)})
    with open("images.bin", "wb") as file:
        file.write(b"".join(stored))
    with open("quality.json", "w") as file:
        json.dump(cases, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
