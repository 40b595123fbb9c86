"""The little of torch.Tensor that hooks use on `images`, over numpy: C x H x W floats from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


class Tensor:
    def __init__(self, array: Any) -> None:
        self._array = np.asarray(array, dtype=np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def numpy(self) -> np.ndarray:
        return self._array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._array if dtype is None else self._array.astype(dtype)

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, key: Any) -> Tensor:
        return Tensor(self._array[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[key] = np.asarray(value)

    def __iter__(self) -> Iterator[Tensor]:
        return (Tensor(x) for x in self._array)

    def clone(self) -> Tensor:
        return Tensor(self._array.copy())

    def to(self, *_: Any, **__: Any) -> Tensor:
        return self

    cpu = detach = float = to


class DecodedSamples(list):  # type: ignore[type-arg]
    """What post_sample gets after hires fix: images instead of latents."""

    already_decoded = True
