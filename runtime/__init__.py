"""What keeps work going: submitting, executing, heartbeats, housekeeping, signals."""
