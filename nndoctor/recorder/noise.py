"""The gradient's noise scale, from what accumulated gradients show without a further operation."""

from __future__ import annotations

import math

MEMORY = 0.1  # weight of the newest sample in the running means
MIN_SAMPLES = 4  # before it, the quotient of two noisy means is unreliable


class Noise:
    """Compares the gradient of the first of n accumulated passes with that of all n.

    Source: McCandlish et al., An Empirical Model of Large-Batch Training, 2018, appendix A.1; numerator and denominator
    are averaged apart, as there.
    """

    def __init__(self) -> None:
        self._signal = self._noise = 0.0
        self._samples = 0

    def add(self, first: float, whole: float, passes: int) -> float | None:
        """Take in the norms of the first pass' gradient and of all passes' together; the noise scale in passes' batches.

        None where nothing was accumulated, before four samples, and where the signal drowns in the noise. Whether the
        loop divides its loss by the passes makes no difference.
        """
        if passes < 2 or not (math.isfinite(first) and math.isfinite(whole)) or first <= 0:
            return None
        ratio = (whole / (passes * first)) ** 2  # |mean gradient|^2 over |gradient of one pass|^2
        self._samples += 1
        weight = max(MEMORY, 1 / self._samples)
        self._signal += weight * ((passes * ratio - 1) / (passes - 1) - self._signal)
        self._noise += weight * ((1 - ratio) * passes / (passes - 1) - self._noise)
        return self._noise / self._signal if self._samples >= MIN_SAMPLES and self._signal > 0 else None
