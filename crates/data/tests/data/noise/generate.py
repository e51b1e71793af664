"""Makes noise.json: the distributions of the noise models by scipy, for the tests of `noise`.

Made with Python 3.11 (pip install -r requirements.txt), run as `python generate.py` in this folder.
Running it again gives the same file.

- distributions: what one noisy value `y` of the clean value(s) `area` is distributed like. Mean,
  variance, fourth central moment, and `[y, P(Y <= y)]` at places where the probability does not jump.
- correlations: of the values of `brown` noise along one axis, by distance in pixels.
- streams: the first random words for a seed, epoch, index and member, by ChaCha8 written out below.
"""

import json
import struct

import numpy as np
from scipy import integrate, ndimage, stats

PLACES = 41  # of the cumulative distribution


def moments(density_moment):
    """Mean, variance and fourth central moment from a function that integrates any f(y)."""
    mean = density_moment(lambda y: y)
    return {
        "mean": mean,
        "variance": density_moment(lambda y: (y - mean) ** 2),
        "fourth": density_moment(lambda y: (y - mean) ** 4),
    }


def case(noise, area, parts, places):
    """`parts` are (weight, distribution); each has a `cdf`, and an `expect` of a function."""

    def expect(f):
        return float(sum(weight * part.expect(f) for weight, part in parts))

    def cdf(y):
        return float(sum(weight * part.cdf(y) for weight, part in parts))

    table = [[float(y), cdf(y)] for y in places]
    return {"noise": noise, "area": area, **moments(expect), "cdf": table}


class Atom:
    def __init__(self, at):
        self.at = at

    def cdf(self, y):
        return float(y >= self.at)

    def expect(self, f):
        return f(self.at)


class Normal:
    def __init__(self, mean, sigma):
        self.distribution = stats.norm(mean, sigma)

    def cdf(self, y):
        return self.distribution.cdf(y)

    def expect(self, f):
        # Exact for polynomials: Gauss and Hermite's quadrature.
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        y = self.distribution.mean() + self.distribution.std() * nodes
        return np.sum(weights * np.vectorize(f)(y)) / np.sqrt(2 * np.pi)


class Uniform:
    def cdf(self, y):
        return min(max(y, 0.0), 1.0)

    def expect(self, f):
        return integrate.quad(f, 0, 1)[0]


class Clipped:
    """A normal distribution, cut off at 0 and 1."""

    def __init__(self, mean, sigma):
        self.distribution = stats.norm(mean, sigma)

    def cdf(self, y):
        return 0.0 if y < 0 else 1.0 if y >= 1 else self.distribution.cdf(y)

    def expect(self, f):
        inside = integrate.quad(lambda y: f(y) * self.distribution.pdf(y), 0, 1, epsabs=1e-13)[0]
        return inside + f(0.0) * self.distribution.cdf(0) + f(1.0) * self.distribution.sf(1)


class NormalOfRandomSigma:
    """Its standard deviation is uniform in a range."""

    def __init__(self, mean, low, high):
        self.mean, self.low, self.high = mean, low, high

    def over(self, f):
        return integrate.quad(f, self.low, self.high)[0] / (self.high - self.low)

    def cdf(self, y):
        return self.over(lambda sigma: stats.norm.cdf(y, self.mean, sigma))

    def expect(self, f):
        return self.over(lambda sigma: Normal(self.mean, sigma).expect(f))


def around(mean, sigma):
    return stats.norm(mean, sigma).ppf(np.linspace(0.005, 0.995, PLACES))


def gaussian(sigma_255, x):
    sigma = sigma_255 / 255
    return case(f"gaussian:{sigma_255}", [x], [(1, Normal(x, sigma))], around(x, sigma))


def brown(sigma_255, x):
    sigma = sigma_255 / 255
    return case(f"brown:{sigma_255}", [x], [(1, Normal(x, sigma))], around(x, sigma))


def speckle(sigma, x):
    return case(f"speckle:{sigma}", [x], [(1, Normal(x, sigma * x))], around(x, sigma * x))


def gaussian_of_range(low, high, x):
    part = NormalOfRandomSigma(x, low / 255, high / 255)
    return case(f"gaussian:{low}..{high}", [x], [(1, part)], around(x, (low + high) / 2 / 255))


def gaussian_clipped(sigma_255, x):
    places = np.linspace(-0.01, 1.01, PLACES)
    return case(f"gaussian:{sigma_255},clip", [x], [(1, Clipped(x, sigma_255 / 255))], places)


def counts(mean):
    """The numbers of photons that are not negligible."""
    first, last = stats.poisson(mean).ppf([1e-15, 1 - 1e-15])
    return np.arange(first, last + 1)


def some(values):
    return values[:: max(1, len(values) // PLACES)]


def poisson(peak, x):
    k = counts(x * peak)
    parts = list(zip(stats.poisson(x * peak).pmf(k), map(Atom, k / peak)))
    return case(f"poisson:{peak}", [x], parts, (some(k) + 0.5) / peak)


def poisson_gaussian(peak, sigma_255, x):
    k = counts(x * peak)
    sigma = sigma_255 / 255
    parts = [(w, Normal(y, sigma)) for w, y in zip(stats.poisson(x * peak).pmf(k), k / peak)]
    places = around(x, np.sqrt(x / peak + sigma**2))
    return case(f"poisson_gaussian:{peak},{sigma_255}", [x], parts, places)


def bernoulli(p, x):
    return case(f"bernoulli:{p}", [x], [(1 - p, Atom(x)), (p, Atom(0))], [-0.01, x / 2, x + 0.01])


def bernoulli_of_range(low, high, x):
    """The mean probability is all that matters for one pixel."""
    p = (low + high) / 2
    parts = [(1 - p, Atom(x)), (p, Atom(0))]
    return case(f"bernoulli:{low}..{high}", [x], parts, [-0.01, x / 2, x + 0.01])


def impulse(p, x):
    places = np.linspace(-0.0105, 1.0105, PLACES)
    return case(f"impulse:{p}", [x], [(1 - p, Atom(x)), (p, Uniform())], places)


def salt_pepper(p, x):
    parts = [(1 - p, Atom(x)), (p / 2, Atom(0)), (p / 2, Atom(1))]
    return case(f"salt_pepper:{p}", [x], parts, [-0.01, x / 2, (1 + x) / 2, 1.01])


def points(factor):
    # Eighths, exact in single precision, some of them equal.
    area = [(3 * i * i % 8) / 8 for i in range(factor * factor)]
    parts = [(1 / len(area), Atom(value)) for value in area]
    return case(f"points:{factor}", area, parts, np.arange(-0.0625, 1.1, 0.125))


def correlation(blur_px):
    radius = int(np.ceil(4 * blur_px))
    impulse = np.zeros(2 * radius + 1)
    impulse[radius] = 1
    kernel = ndimage.gaussian_filter1d(impulse, blur_px, mode="constant", radius=radius)
    full = np.correlate(kernel, kernel, "full")[2 * radius :]
    return {"blur_px": blur_px, "by_distance": list(full / full[0])}


def chacha8(key, count):
    """The first 64-bit words of the stream with counter and nonce 0 (D. J. Bernstein, 2008)."""
    words = []
    for block in range(count * 8 // 64 + 1):
        start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), block, 0, 0, 0]
        state = list(start)

        def quarter(a, b, c, d):
            for x, y, z, turn in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
                state[x] = (state[x] + state[y]) & 0xFFFFFFFF
                mixed = state[z] ^ state[x]
                state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF

        for _ in range(4):
            for i in range(4):
                quarter(i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        total = [(a + b) & 0xFFFFFFFF for a, b in zip(start, state)]
        words += [low | high << 32 for low, high in zip(total[::2], total[1::2])]
    return words[:count]


def stream(*words):
    return {"key": words, "words": chacha8(struct.pack("<4Q", *words), 10)}


def main():
    distributions = [
        gaussian(25, 0.0),
        gaussian(25, 0.7),
        gaussian(2.5, 0.3),
        gaussian_of_range(5, 50, 0.5),
        gaussian_clipped(25, 0.0),
        gaussian_clipped(60, 0.8),
        poisson(30, 0.01),
        poisson(30, 0.2),
        poisson(30, 0.9),
        poisson(0.5, 0.4),
        poisson(500, 0.75),
        poisson_gaussian(30, 5, 0.05),
        poisson_gaussian(30, 5, 0.8),
        poisson_gaussian(500, 25, 0.6),
        speckle(0.1, 0.2),
        speckle(0.1, 0.9),
        brown(25, 0.4),
        bernoulli(0.5, 0.6),
        bernoulli(0.9, 0.25),
        bernoulli_of_range(0, 0.8, 0.5),
        impulse(0.7, 0.2),
        impulse(0.3, 0.9),
        salt_pepper(0.1, 0.3),
        salt_pepper(0.6, 0.75),
        points(3),
        points(4),
    ]
    contents = {
        "distributions": distributions,
        "correlations": [correlation(2), correlation(1.5)],
        "streams": [stream(0, 0, 0, 0), stream(1, 2, 3, 1), stream(2**64 - 1, 7, 2**40, 0)],
    }
    with open("noise.json", "w") as file:
        json.dump(contents, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
