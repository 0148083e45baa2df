"""The PowerShell Remoting Protocol inside a WSMan shell (MS-PSRP), server side."""
