"""Takes every message over SMTP, delivers none, shows them in a web inbox. For a laptop: loopback only."""
