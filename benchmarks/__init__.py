"""Commands that measure. Nothing here is a test: shared machines are too noisy to assert times."""
