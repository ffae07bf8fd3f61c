"""From a few words about a product to a finished video: stages, providers, media tools."""
