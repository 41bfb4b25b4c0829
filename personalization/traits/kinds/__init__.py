"""One file for each kind of computed trait; files that start with _ are shared."""
