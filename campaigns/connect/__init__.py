"""The Connect page: pieces of code that run as they stand, with this installation's address and keys."""
