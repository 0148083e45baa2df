"""psrpcore's server pool with its gaps closed (version 0.3.1): see each method."""

from typing import Any

from psrpcore import ServerRunspacePool


class Pool(ServerRunspacePool):
    """A server's runspace pool."""

    def accept_client(self) -> None:
        """Gets ready for the opening messages of a client that takes a pool over.

        psrpcore starts its fragments anew then, although output that is still unread carries the old numbers: they
        must go on rising.
        """
        self.disconnect()
        count = self._fragment_count
        self.connect()
        self._fragment_count = count

    def _process_SetMaxRunspaces(self, event: Any) -> None:  # noqa: N802  # psrpcore finds it by this name
        """MS-PSRP 2.2.2.6 calls the field CI; psrpcore reads ``ci``."""
        self._answer_later(event, "_max_runspaces", event._ps_object.MaxRunspaces)  # noqa: SLF001  # no other way to CI

    def _process_SetMinRunspaces(self, event: Any) -> None:  # noqa: N802  # psrpcore finds it by this name
        """As for the maximum (2.2.2.7)."""
        self._answer_later(event, "_min_runspaces", event._ps_object.MinRunspaces)  # noqa: SLF001  # as above

    def _answer_later(self, event: Any, attribute: str, count: int) -> None:
        call_id = call_id_of(event)
        self._ci_events[call_id] = event
        self._ci_handlers[call_id] = lambda _: setattr(self, attribute, count)


def call_id_of(event: Any) -> int:
    """The call id of an event that wants an answer."""
    message = event._ps_object  # noqa: SLF001  # the event's own property fails for two of the messages
    return int(message.CI if hasattr(message, "CI") else message.ci)
