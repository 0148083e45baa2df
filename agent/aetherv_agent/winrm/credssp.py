"""CredSSP's login as the agent needs it: requests_credssp's, which tells a refusal from an answer. Blocking."""

from __future__ import annotations

from typing import Any, Final

from requests import Response
from requests_credssp.credssp import HttpCredSSPAuth  # type: ignore[import-untyped]  # the package has no types
from requests_credssp.exceptions import AuthenticationException  # type: ignore[import-untyped]  # as above

# The versions below are open to a man in the middle (CVE-2018-0886); Windows has had newer ones since May 2018.
MINIMUM_VERSION: Final = 5
_UNAUTHORIZED: Final = 401


class CredSspNotOffered(AuthenticationException):  # type: ignore[misc]  # reads as what happened; untyped base
    """The host does not take CredSSP at all."""


class _Answered(Exception):  # noqa: N818  # not an error: how the library's loop is left
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class CredSspAuth(HttpCredSSPAuth):  # type: ignore[misc]  # untyped base
    """Logs on by CredSSP (MS-CSSP) with delegation of the credentials.

    The library takes every answer but 200 for a refused login. But the login's last message goes out with the first
    request, so such an answer can be that request's own: a WSMan fault (500), or a host that goes away (503).
    """

    def handle_401(self, response: Response, **kwargs: Any) -> Response:
        """Log on and return the answer to the request.

        Raises:
            AuthenticationException: The login is refused.
            NTStatusException: As above, and the host said why.
        """
        try:
            answer: Response = super().handle_401(response, **kwargs)
        except _Answered as answered:
            return answered.response
        return answer

    @staticmethod
    def _check_credssp_supported(response: Response) -> None:
        if "credssp" not in response.headers.get("www-authenticate", "").casefold():
            _let_go(response)
            raise CredSspNotOffered("CredSSP is not among the host's methods")

    @staticmethod
    def _get_credssp_token(response: Response, pattern: Any, step_name: str) -> bytes:
        if response.status_code != _UNAUTHORIZED:
            raise _Answered(response)
        # Here, as the library forgets it when the login ends by an error.
        _let_go(response)
        token: bytes = HttpCredSSPAuth._get_credssp_token(response, pattern, step_name)  # noqa: SLF001  # own base
        return token


def _let_go(response: Response) -> None:
    """Read an answer to its end and give its connection back."""
    _ = response.content
    response.raw.release_conn()
