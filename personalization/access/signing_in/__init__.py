"""How staff get in: password, second factor, single sign-on; and in which browsers they are."""
