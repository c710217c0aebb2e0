"""What an image costs: tiles of 512 pixels, or patches of 32, by model.

Rule: the way, the base and the factor of a model are a column of the catalogue. An
image whose size is not known gives a range from the smallest to the largest that the
way allows. Nothing is ever downloaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from ..catalogue import approximate_row
from .imagesize import Size


@dataclass(frozen=True, slots=True)
class Tiles:
    """``base`` and ``tile`` tokens: the image is scaled to 2048, its short side to 768, and tiled by 512."""

    base: int
    tile: int
    is_recorded: bool = True
    #: 768 x 2048 is the largest image after scaling: 2 x 4 tiles.
    most: int = 8

    def tokens(self, size: Size, detail: str | None) -> int:
        """Return the tokens of an image of this size (pixels) at this detail."""
        if detail == "low":
            return self.base
        width, height = (float(side) for side in size)
        scale = min(1.0, 2048 / max(width, height))
        scale = min(scale, 768 / min(width, height))
        return self.base + self.tile * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)

    def bounds(self, detail: str | None) -> tuple[int, int, int]:
        """Return low, expected (a square image) and high for an unknown size."""
        if detail == "low":
            return self.base, self.base, self.base
        return self.base + self.tile, self.base + 4 * self.tile, self.base + self.most * self.tile


@dataclass(frozen=True, slots=True)
class Patches:
    """``factor`` tokens a patch of 32 pixels, ``extra`` an image, scaled to at most ``most`` patches."""

    factor: float
    extra: int = 0
    most: int = 1536
    most_original: int = 1536
    is_recorded: bool = True

    def tokens(self, size: Size, detail: str | None) -> int:
        """Return the tokens of an image of this size; ``detail: low`` changes nothing."""
        most = self.most_original if detail == "original" else self.most
        return self._billed(_patches(*size, most))

    def bounds(self, detail: str | None) -> tuple[int, int, int]:
        """Return low, expected (1024 x 768) and high for an unknown size."""
        most = self.most_original if detail == "original" else self.most
        return self._billed(1), self._billed(_patches(1024, 768, most)), self._billed(most)

    def _billed(self, patches: int) -> int:
        # Rounded first: 1.2 x 5 is 6.000000000000001 in floats, which is no seventh token.
        return math.ceil(round(patches * self.factor, 6)) + self.extra


def _patches(width: float, height: float, most: int) -> int:
    """Return the patches of an image scaled down until it has at most ``most``."""
    across, down = math.ceil(width / 32), math.ceil(height / 32)
    if across * down <= most:
        return across * down
    scale = math.sqrt(most * 32 * 32 / (width * height))
    columns, rows = width * scale / 32, height * scale / 32
    # A second, smaller step makes one side a whole number of patches.
    scale *= min(math.floor(columns) / columns or 1, math.floor(rows) / rows or 1)
    return min(most, max(1, math.ceil(width * scale / 32)) * max(1, math.ceil(height * scale / 32)))


@lru_cache(maxsize=256)
def image_way(base_model: str) -> Tiles | Patches | None:
    """Return how a model bills images, None where nothing is known.

    The numbers stand in the catalogue. Their sources: OpenAI's guide "Images and vision" (2025-2026)
    for the ways and the tiles; recorded usage for the factors of gpt-5-mini, -nano, 5.2 and 5.4,
    where the guide's 1.62 and 2.46 are contradicted (community.openai.com t/1377015, t/1344040 agree
    with the recordings); 2,500 and 10,000 patches for gpt-5.4 and later: openai/codex pull request 19865.

    >>> image_way("gpt-4o").tokens((1024, 1024), None)
    765
    >>> image_way("gpt-5-mini").tokens((400, 301), None)
    157
    """
    row = approximate_row(base_model)
    if row is None or row.images is None:
        return None
    way = dict(row.images)
    recorded = way.pop("recorded", True)
    if "tiles" in way:
        base, tile = way["tiles"]
        return Tiles(base, tile, recorded)
    return Patches(way.pop("patches"), **way, is_recorded=recorded)
