"""What `claimbench new` writes: a small paper that runs as it is, to be replaced piece by piece."""
