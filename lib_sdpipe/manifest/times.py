"""Times inside files: UTC, ISO 8601, milliseconds, `Z`. Local time is for names and display."""

from __future__ import annotations

from datetime import datetime, timezone


def format_utc(seconds: float) -> str:
    """Seconds since 1970 as `2025-12-25T14:30:22.123Z`."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_utc(text: str) -> float | None:
    """Seconds since 1970, or None for a text that is no time of ours."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):  # the platform's clock does not reach every year
        return None
