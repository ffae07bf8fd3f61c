"""The stages of a video job; each wraps one provider and publishes what it made."""
