"""Queues of tasks, by who takes from them."""

# Each has workers of its own: what may take minutes holds up neither a launch nor a message.
DUE_SOON = ("send", "default")
LONG = ("train", "analyse", "ingest")
QUEUES = (*DUE_SOON, *LONG)
