"""Stub servers that speak the wire protocols of the paid providers, faults included."""
