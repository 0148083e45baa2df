"""The back-end ``pwsh``: the real host scripts in a real PowerShell, on the model behind the module FakeHyperV."""
