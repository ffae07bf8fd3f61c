"""The sample products' pictures, drawn from nothing. See `__main__.py` for how to draw them."""
