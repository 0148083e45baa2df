"""The provider's resources, one package each."""
