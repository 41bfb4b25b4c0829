"""Progress that comes by itself: server-sent events, read once a second for all who watch."""
