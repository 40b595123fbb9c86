"""placeholder"""
def trace_copies(*a): return None
