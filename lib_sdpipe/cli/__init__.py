"""The command line: verbs, one a file, and the one door through which every fault leaves. It computes nothing itself."""
