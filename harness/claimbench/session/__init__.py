"""Claims under pytest: the plugin's options, the items, and the session that judges them."""
