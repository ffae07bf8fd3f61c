"""Operator commands: each parses, calls one function, and maps errors to exit codes."""
