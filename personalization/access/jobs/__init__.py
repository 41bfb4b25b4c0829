"""Work that takes longer than a request may: a row whose contents a worker makes, saying how far it is."""
