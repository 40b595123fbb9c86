"""What a run was. Pure: no clock, no disk, no randomness; times and ids are arguments."""
