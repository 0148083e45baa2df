"""WSMan faults as Windows words them: codes, subcodes and texts are captures, trailing blanks included."""

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aetherv_simhost.wsman import soap

TIMED_OUT: Final = 2150858793
INVALID_SELECTORS: Final = 2150858843
SHELLS_PER_USER: Final = 2150859173
OPERATIONS_PER_USER: Final = 2150859174
COMMANDS_PER_SHELL: Final = 2150859241
INVALID_TIMEOUT: Final = 2150858767
SCHEMA: Final = 2150858817
ABORTED: Final = 995
ACCESS_DENIED: Final = 5
INVALID_RESOURCE: Final = 2150858811

_DETAIL: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
_SELECTORS_REASON: Final = (
    "The WS-Management service cannot process the request because the request contained invalid selectors for "
    "the resource. "
)


class WsmanFault(Exception):  # noqa: N818  # SOAP's own word
    """A request that ends with a fault.

    Args:
        code: WSManFault's code.
        message: Its text.
        subcode: SOAP subcode with its prefix (``w:`` or ``a:``), empty for none.
        sender: Whether the sender is to blame, else the receiver.
        reason: SOAP reason, where it is not the message.
        detail: Last part of the FaultDetail URI, empty for none.
        provider: Name and path of the provider whose fault it is: the message then stands inside a ProviderFault.
    """

    def __init__(
        self,
        code: int,
        message: str,
        subcode: str = "",
        *,
        sender: bool = False,
        reason: str = "",
        detail: str = "",
        provider: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(f"WSMan fault {code}: {message.strip()}")
        self.code = code
        self._message = message
        self._subcode = subcode
        self._sender = sender
        self._reason = reason or message
        self._detail = detail
        self._provider = provider

    def render(self, relates_to: str, machine: str) -> bytes:
        """The fault's envelope; ``machine`` is the host as the client calls it."""
        subcode = f"<s:Subcode><s:Value>{self._subcode}</s:Value></s:Subcode>" if self._subcode else ""
        detail = f"<w:FaultDetail>{_DETAIL}{self._detail}</w:FaultDetail>" if self._detail else ""
        message = escape(self._message)
        if self._provider is not None:
            name, path = self._provider
            inner = f'<f:WSManFault xmlns:f="{soap.F}" Code="{self.code}" Machine={quoteattr(machine)}>'
            inner += f"<f:Message>{message}</f:Message></f:WSManFault>"
            message = f"<f:ProviderFault provider={quoteattr(name)} path={quoteattr(path)}>{inner}</f:ProviderFault>"
        return soap.envelope(
            relates_to,
            soap.FAULT_ACTION,
            f"<s:Fault><s:Code><s:Value>s:{'Sender' if self._sender else 'Receiver'}</s:Value>{subcode}</s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self._reason)}</s:Text></s:Reason>'
            f'<s:Detail>{detail}<f:WSManFault xmlns:f="{soap.F}" Code="{self.code}" Machine={quoteattr(machine)}>'
            f"<f:Message>{message}</f:Message></f:WSManFault></s:Detail></s:Fault>",
        )


def timed_out() -> WsmanFault:
    """Nothing within OperationTimeout."""
    return WsmanFault(
        TIMED_OUT,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        "w:TimedOut",
    )


def shell_not_found(shell_id: str) -> WsmanFault:
    """No shell has this id (any more)."""
    return WsmanFault(
        INVALID_SELECTORS,
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found on "
        "the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the "
        "server. Provide the correct ShellId or create a new shell and retry the operation. ",
        "w:InvalidSelectors",
        sender=True,
        reason=_SELECTORS_REASON,
        detail="UnexpectedSelectors",
    )


def shell_not_listed() -> WsmanFault:
    """As `shell_not_found`, for Get and Enumerate on the shell resource."""
    return WsmanFault(
        INVALID_SELECTORS,
        _SELECTORS_REASON,
        "w:InvalidSelectors",
        sender=True,
        detail="UnexpectedSelectors",
        provider=("Shell provider", r"%systemroot%\system32\WsmSvc.dll"),
    )


def command_not_found() -> WsmanFault:
    """No command of the shell has this id, or it is finished and was read to its end."""
    return WsmanFault(
        INVALID_SELECTORS,
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
        "exist. Either the command has completed execution or the client specified an invalid command identifier. ",
        "w:InvalidSelectors",
        sender=True,
        reason=_SELECTORS_REASON,
        detail="UnexpectedSelectors",
    )


def aborted() -> WsmanFault:
    """The shell, or the whole host, went away under a waiting request."""
    return WsmanFault(
        ABORTED,
        "The I/O operation has been aborted because of either a thread exit or an application request. ",
        "w:InternalError",
    )


def too_many_shells(limit: int) -> WsmanFault:
    """The account has as many shells as it may."""
    return WsmanFault(
        SHELLS_PER_USER,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
        "w:QuotaLimit",
    )


def too_many_operations(limit: int) -> WsmanFault:
    """More runs at once than the host takes."""
    return WsmanFault(
        OPERATIONS_PER_USER,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise "
        "the quota for this user. ",
        "w:QuotaLimit",
    )


def too_many_commands() -> WsmanFault:
    """The shell holds as many commands as it may: those that a client never ended count too."""
    return WsmanFault(
        COMMANDS_PER_SHELL,
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per shell "
        "has been exceeded. Retry the request later or raise the Maximum Commands per Shell quota.",
        "w:InternalError",
    )


def bad_timeout(text: str) -> WsmanFault:
    """The OperationTimeout header is no positive duration."""
    return WsmanFault(
        INVALID_TIMEOUT,
        "The WS-Management service cannot process the request. The XML contains an invalid timeout field in the "
        f"SOAP header: {text}. ",
        "a:InvalidMessageInformationHeader",
        sender=True,
        reason="The WS-Management service cannot process the request. The request contains one or more invalid SOAP "
        "headers. ",
    )


def schema(element: str) -> WsmanFault:
    """An element is missing or cannot be read."""
    return WsmanFault(
        SCHEMA,
        f"The Windows Remote Shell cannot process the request. The SOAP packet contains an element {element} that is "
        "invalid. Retry the request with the correct XML element. ",
        "w:SchemaValidationError",
        sender=True,
        reason="The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML "
        "and retry. ",
    )


def access_denied() -> WsmanFault:
    """The shell is another account's."""
    return WsmanFault(ACCESS_DENIED, "Access is denied. ", "w:AccessDenied", sender=True)


def unknown_resource(uri: str) -> WsmanFault:
    """The simulated host does not have this resource or action; Windows' wording is not captured."""
    return WsmanFault(
        INVALID_RESOURCE,
        f"The WS-Management service cannot process the request: this simulated host does not offer {uri}. ",
        "a:DestinationUnreachable",
        sender=True,
    )
