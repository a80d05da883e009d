"""The leaderboard as a static site: plain files that need no server and no other host."""
