"""The durable queue on Redis: keys, one atomic Lua script an operation, and their callers."""
