"""How fast: rates of senders, recipient domains and runs, and the warm-up of a new sender."""
