"""Going on from records: chains of stages, re-runs, their verification. Touches nothing but the host port."""
