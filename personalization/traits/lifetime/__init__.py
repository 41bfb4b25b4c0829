"""What a customer will still buy, and for how much: BG/NBD for when, Gamma-Gamma for how much.

Pure NumPy and SciPy. Times are in days or weeks, as the caller likes, but the same everywhere; a purchase day
counts once, and the first one is the start, not a repeat.
"""


class TooLittleData(Exception):
    """There are too few customers, or too few who came back; or what else it says (see `kept_words`)."""
