"""When a message may go: each customer's local clock, quiet hours, send windows, repetition. Pure, but for
what is named otherwise in its file."""
