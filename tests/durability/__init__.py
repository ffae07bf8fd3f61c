"""What is broken on purpose, and must hold."""
