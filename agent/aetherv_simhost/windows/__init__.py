"""Windows' side of a simulated host: the module FakeHyperV, and the model's answers to its commands and WMI queries."""
