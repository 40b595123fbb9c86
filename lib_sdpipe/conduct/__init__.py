"""Working off the queue: takes jobs, has the host make their passes through its port, resumes, compares, ends their runs."""
