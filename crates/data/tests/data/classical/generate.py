"""Makes images.bin, classical.json and expected.bin: noisy images, and what SciPy and scikit-image make of
them, for the tests of `classical`.

Made with Python 3.11 (pip install -r requirements.txt), run as `python generate.py` in this folder.
Running it again gives the same files.

- images.bin: the noisy images, planar [channels, height, width], 16-bit signed little-endian numbers that
  are 1024 times the values, so single precision holds the values exactly.
- classical.json: the shapes of the images, and for each case the method, its strength and the image.
- expected.bin: for each case the denoised image, planar, 32-bit little-endian floats. All is computed in
  double precision.
"""

import json

import numpy as np
from scipy import ndimage
from skimage import restoration

STEPS = 1024  # per 1.0


def noisy(rng, shape):
    """A slope, an edge and a texture, with Gaussian noise."""
    channels, height, width = shape
    y, x = np.mgrid[:height, :width]
    planes = []
    for channel in range(channels):
        slope = (channel + 1) * y / height / 8 + x / width / 4
        edge = 0.4 * (np.hypot(y - height / 3, x - width / 2) < 6)
        planes.append(0.2 + slope + edge + 0.1 * np.sin(0.9 * x + channel * y))
    return np.stack(planes) + rng.normal(0, 0.1, shape)


def gaussian_blur(image, sigma):
    return ndimage.gaussian_filter(image, (0, sigma, sigma), mode="reflect")


def median(image, size):
    return ndimage.median_filter(image, (1, size, size), mode="reflect")


def non_local_means(image, h):
    grey = len(image) == 1
    denoised = restoration.denoise_nl_means(
        image[0] if grey else image,
        patch_size=7,
        patch_distance=11,
        h=h,
        fast_mode=False,
        channel_axis=None if grey else 0,
    )
    return denoised.reshape(image.shape)


SHAPES = [(1, 13, 29), (3, 38, 17), (3, 9, 40), (1, 5, 2)]
CASES = [
    *[(gaussian_blur, sigma, image) for sigma in (0.25, 0.8, 1.9) for image in (0, 1, 2)],
    (gaussian_blur, 3.7, 3),  # a window larger than the image
    *[(median, size, image) for size in (3, 5, 9) for image in (0, 1, 2)],
    (median, 7, 3),
    *[(non_local_means, h, image) for h in (0.06, 0.12, 0.4) for image in (0, 1, 2)],
]


def main():
    rng = np.random.default_rng(3)
    images = [np.round(noisy(rng, shape) * STEPS).astype("<i2") for shape in SHAPES]
    with open("images.bin", "wb") as file:
        file.write(b"".join(image.tobytes() for image in images))
    cases, expected = [], []
    for method, strength, index in CASES:
        image = images[index].astype(np.float64) / STEPS
        expected.append(method(image, strength).astype("<f4").tobytes())
        cases.append({"method": method.__name__, "strength": strength, "image": index})
    with open("expected.bin", "wb") as file:
        file.write(b"".join(expected))
    with open("classical.json", "w") as file:
        json.dump({"shapes": SHAPES, "cases": cases}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
