"""Tools over sound, captions and finished files; they know nothing of jobs' states."""
