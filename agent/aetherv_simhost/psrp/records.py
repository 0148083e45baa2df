"""Error records as Windows PowerShell makes them."""

from psrpcore.types import ErrorCategory, ErrorCategoryInfo, ErrorRecord, NETException

from aetherv_simhost.runner import End, Outcome

_SMA = "System.Management.Automation."


def error_record(
    message: str,
    error_id: str,
    category: str,
    *,
    exception: str = "RuntimeException",
    target: str | None = None,
) -> ErrorRecord:
    """A terminating error.

    Args:
        message: The exception's message.
        error_id: FullyQualifiedErrorId.
        category: Name of an ErrorCategory; an unknown one is NotSpecified.
        exception: Class in System.Management.Automation.
        target: The object in question.
    """
    fault = NETException(Message=message, HResult=-2146233087)
    fault.PSObject.type_names = [
        _SMA + exception,
        *([_SMA + "RuntimeException"] if exception != "RuntimeException" else []),
        "System.SystemException",
        *fault.PSTypeNames,
    ]
    # Windows sends the text with both; psrpcore leaves it out, and clients print it.
    fault.PSObject.to_string = f"{_SMA}{exception}: {message}"
    info = ErrorCategoryInfo(
        Category=getattr(ErrorCategory, category, ErrorCategory.NotSpecified),
        Reason=exception,
        TargetName=target,
        TargetType=None if target is None else "String",
    )
    record = ErrorRecord(
        Exception=fault, CategoryInfo=info, TargetObject=target, FullyQualifiedErrorId=error_id
    )
    record.PSObject.to_string = message
    return record


def ending(outcome: Outcome) -> ErrorRecord:
    """The record of a call that did not complete."""
    if outcome.end is End.NOT_FOUND:
        return error_record(
            f"The term '{outcome.message}' is not recognized as the name of a cmdlet, function, script file, or "
            "operable program. Check the spelling of the name, or if a path was included, verify that the path is "
            "correct and try again.",
            "CommandNotFoundException",
            "ObjectNotFound",
            exception="CommandNotFoundException",
            target=outcome.message,
        )
    if outcome.end is End.STOPPED:
        return error_record(
            "The pipeline has been stopped.",
            "PipelineStopped",
            "OperationStopped",
            exception="PipelineStoppedException",
        )
    return error_record(outcome.message, outcome.error_id, outcome.category)
