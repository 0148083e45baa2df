"""Generated code of the plugin protocol (`make proto`); never edited by hand."""
