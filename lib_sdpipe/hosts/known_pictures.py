"""Pictures of the open run by identity: which manifest each has. They are not kept alive for that."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import Any, Iterator


class KnownPictures:
    """From a picture object to its manifest's name. An id is used again once its picture is gone: the reference tells."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._gathered: list[tuple[str, Any]] | None = None

    def add(self, picture: Any, name: str) -> None:
        self._names[id(picture)] = (weakref.ref(picture), name)
        if self._gathered is not None:
            self._gathered.append((name, picture))

    def name_of(self, picture: Any) -> str | None:
        reference, name = self._names.get(id(picture), (None, ""))
        return name if reference is not None and reference() is picture else None

    @contextmanager
    def gathering(self) -> Iterator[list[tuple[str, Any]]]:
        """Keep alive whatever gets a name meanwhile: (name, picture) in the order in which they got it."""
        before, self._gathered = self._gathered, []
        try:
            yield self._gathered
        finally:
            self._gathered = before

    def clear(self) -> None:
        self._names.clear()


_Cell = tuple["weakref.ref[Any]", "str | None"]
"""A picture in a grid and its manifest's name when the grid was drawn."""


class GridCalls:
    """The grids that code outside a pass has had drawn (`on_image_grid`) and may save now, in this order.

    The callback gives the cells, not the grid. X/Y/Z plot draws a grid for each value of Z and then one of these grids;
    it saves the last one first.
    """

    def __init__(self, known: KnownPictures) -> None:
        self._known = known
        self._calls: list[list[_Cell]] = []

    def add(self, pictures: list[Any]) -> None:
        """Names known now are kept: X/Y/Z plot lets its cells go before it saves the grid of them.

        A cell without one may get it yet: SD upscale's tiles and inner grids are saved after this.
        """
        self._calls.append([(weakref.ref(picture), self._known.name_of(picture)) for picture in pictures])

    def clear(self) -> None:
        self._calls.clear()

    def members_of(self, picture: Any) -> list[str] | None:
        """The names of the images in this grid; None where it is no grid of these."""
        if not self._calls:
            return None
        place = self._place_in_last(picture)
        if place is None:
            return self._names(len(self._calls) - 1)
        return self._names(place) if place < len(self._calls) - 1 else None

    def place_in_last(self, picture: Any) -> tuple[int, int] | None:
        """(place, number of pictures) where a picture that is being saved stands in the last grid; None where it does not."""
        place = self._place_in_last(picture)
        return None if place is None else (place, len(self._calls[-1]))

    def _place_in_last(self, picture: Any) -> int | None:
        if not self._calls:
            return None
        return next((place for place, cell in enumerate(self._calls[-1]) if cell[0]() is picture), None)

    def _names(self, number: int) -> list[str]:
        """The named images of one grid; a cell that is itself a grid stands for the images in it."""
        names: list[str] = []
        for place, (cell, name_then) in enumerate(self._calls[number]):
            name = name_then or self._known.name_of(cell())
            if name is not None:
                names.append(name)
            elif place < number:
                names += self._names(place)
        return list(dict.fromkeys(names))
