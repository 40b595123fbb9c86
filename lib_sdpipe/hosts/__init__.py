"""The only fence to the hosts: everything that imports `modules.*` and knows how A1111 and the Forge family differ."""
