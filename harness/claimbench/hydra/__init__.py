"""`claimbench run`: the suite as a Hydra application, for nightly and large runs.

Configuration is made of groups (`conf/`), which a user's own folder can extend. What comes out is
what `claimbench verify` gives; on top come selections, shards, a live view and trackers.
"""
