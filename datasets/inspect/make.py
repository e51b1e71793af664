"""Makes the data of INSPECT.md in the folder that is named: python3 make.py FOLDER (needs NumPy and Pillow)."""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

rng = np.random.default_rng(1)
folder = Path(sys.argv[1])


def cells(side=512):
    """A scene of round cells in a dim field, around [0, 1]."""
    y, x = np.mgrid[:side, :side]
    scene = 0.05 + 0.05 * np.sin(x / 90) * np.sin(y / 70)
    for _ in range(40):
        top, left, radius = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(10, 45)
        distance = np.hypot(y - top, x - left) / radius
        texture = 1 + 0.3 * np.sin(x / rng.uniform(2, 6)) * np.sin(y / rng.uniform(2, 6))
        scene = np.maximum(scene, rng.uniform(0.2, 1) * texture / (1 + np.exp(8 * (distance - 1))))
    return scene


def photons(scene, electrons=60, offset=100, gain=40, read=2):
    """Counts of a camera: photons, read noise, gain and offset."""
    signal = rng.poisson(scene * electrons) + rng.normal(0, read, scene.shape)
    return np.clip(offset + gain * signal, 0, 65535).round().astype(np.uint16)


def save(path, image):
    path = folder / path
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


for number in range(6):
    scene = cells()
    save(f"single/{number}.tif", photons(scene))
    for shot in "ab":
        save(f"pairs/noisy_{shot}/{number}.tif", photons(scene))
    for shot in range(4):
        save(f"bursts/scene{number}/{shot}.tif", photons(scene))
    smeared = rng.normal(0, 25, (514, 514))
    smeared = (smeared[1:-1] + smeared[:-2])[:, 1:-1] + (smeared[1:-1] + smeared[:-2])[:, :-2]
    save(f"smeared/{number}.png", np.clip(150 * scene + 60 + smeared / 2, 0, 255).astype(np.uint8))
    save(f"photos/{number}.png", np.clip(255 * scene, 0, 255).astype(np.uint8))

volume = np.stack([cells(256) for _ in range(12)])
for half in ("EVN", "ODD"):
    noisy = volume + rng.normal(0, 0.3, volume.shape)
    (folder / "halves").mkdir(exist_ok=True)
    np.save(folder / f"halves/tomogram_{half}.npy", noisy.astype(np.float32))
