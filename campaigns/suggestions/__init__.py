"""Texts that a language model suggests: checked against facts, kept as drafts, used once approved."""
