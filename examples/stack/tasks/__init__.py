"""What the queues run: async functions that can be called anywhere."""
