"""What can go wrong, one class per exit code. Trouble in the user's files is a finding, not one of these."""

from __future__ import annotations


class SdPipeError(Exception):
    """A fault that ends a verb. The text names the file, the cause and the next step."""

    exit_code = 3


class UnknownNameError(SdPipeError):
    """A run or an image that the caller named is not in the library."""

    exit_code = 1


class UsageError(SdPipeError):
    """The call itself is wrong."""

    exit_code = 2


class LockedError(SdPipeError):
    """Another process holds what this one needs."""

    exit_code = 4


class ChangedMeanwhileError(LockedError):
    """A file is another than the caller has read: somebody else has written it since."""


class NoLibraryError(SdPipeError):
    """There is no readable library at the given place."""

    exit_code = 5


class UnreachableLibraryError(NoLibraryError, OSError):
    """The runs folder cannot be written now: its disk is full, read-only, asleep or away. What was to be written is owed."""


class RecordError(SdPipeError):
    """A record file cannot be read: broken JSON, wrong schema or wrong types."""


class DamagedLibraryError(RecordError):
    """library.json cannot be read: which folders are image roots is not known."""

    exit_code = 5


class NewerSchemaError(RecordError):
    """A record was written by a later version: it is never touched."""


class DamagedIndexError(SdPipeError):
    """The index turned out to be damaged while it was used, and was thrown away: the same again makes it anew."""


class NotAllowedError(SdPipeError):
    """Whoever is logged in may not do this; the text says who may."""

    exit_code = 2


class RefusedError(SdPipeError):
    """One operation of a plan cannot be done, the others can; the text is the reason."""
