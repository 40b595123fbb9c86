"""The disk: where records live and how they are written so that a kill at any moment tears nothing."""
