"""WS-Management over HTTP as Windows' WinRM service speaks it: connections, authentication, envelopes, shells."""
