"""Workers in three queues by priority: a class each, found in a folder, some run by the clock."""
