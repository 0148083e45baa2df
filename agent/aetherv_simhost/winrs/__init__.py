"""The ``cmd`` shell of WinRM (MS-WSMV 3.1.4.5), on which nothing runs but ``powershell.exe -File``."""
