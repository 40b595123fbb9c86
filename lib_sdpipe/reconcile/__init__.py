"""What is wrong with a library, how it is put right, and the way back. Pure: no disk, no clock."""
