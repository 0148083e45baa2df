"""Speaking to hosts by WinRM: the only importer of pypsrp. ``WinRmHosts`` is what the application injects."""

from .hosts import WinRmHost, WinRmHosts
from .settings import Auth, PasswordFile, WinRmSettings
from .workers import Caps

__all__ = ["Auth", "Caps", "PasswordFile", "WinRmHost", "WinRmHosts", "WinRmSettings"]
