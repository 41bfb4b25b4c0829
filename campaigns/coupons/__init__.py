"""Coupon codes: pools that are filled here, and one code for each message that asks."""
