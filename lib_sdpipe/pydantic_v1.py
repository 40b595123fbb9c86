"""The only import of pydantic. A1111 ships 1.10, Forge 2.x: the v1 interface is what both have.

Models made with it must never appear in a FastAPI signature: FastAPI on pydantic 2 rejects them.
"""

try:
    from pydantic.v1 import BaseModel, Field, ValidationError
except ImportError:  # pydantic 1.10.14 and older have no `v1` of their own
    from pydantic import BaseModel, Field, ValidationError

__all__ = ["BaseModel", "Field", "ValidationError"]
