"""Numbers as readers of Chinese software expect them: 20,581. Django's own format shows 20581."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
