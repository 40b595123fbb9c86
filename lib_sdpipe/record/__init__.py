"""Host events to runs: a job's life, its lineage, and the thread that writes."""
