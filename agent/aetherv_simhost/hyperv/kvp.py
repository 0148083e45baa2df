r"""Hyper-V Data Exchange of one VM as two stores: the host's configuration and the guest's pool. Pure but for the clock given in.

Source: ``root\virtualization\\v2`` Add-, Modify- and RemoveKvpItems; reference guest-protocol (Transport).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from aetherv_simhost.hyperv.errors import KvpRefused

INVALID_PARAMETER: Final = 32773
MAX_ITEMS: Final = 128
MAX_KEY_UNITS: Final = 254
MAX_VALUE_UNITS: Final = 1022

Change = Literal["add", "modify", "remove"]


def units(text: str) -> int:
    """Length in UTF-16 units, which is what the wire counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(slots=True)
class _Delivery:
    due: float
    name: str
    value: str | None


@dataclass(slots=True)
class KvpExchange:
    """One VM's items. Not thread-safe: the model's lock guards it.

    Attributes:
        deliver_seconds: Time between two items' arrival in the guest.
        host: What the host configured (``HostExchangeItems``).
        pool: What arrived in the guest (pool 0).
        guest: What the guest wrote, in order; a name may stand there twice, the last one counts.
        intrinsic: What the guest's integration service says of its system.
    """

    deliver_seconds: float = 0.0
    host: dict[str, str] = field(default_factory=dict)
    pool: dict[str, str] = field(default_factory=dict)
    guest: list[tuple[str, str]] = field(default_factory=list)
    intrinsic: dict[str, str] = field(default_factory=dict)
    connected: bool = False
    _under_way: deque[_Delivery] = field(default_factory=deque)

    def change(
        self, kind: Change, items: Sequence[tuple[str, str]], now: float, lost: Callable[[str], bool]
    ) -> None:
        """Adds, modifies or removes host items as one call: all or nothing in the configuration.

        Args:
            kind: The method.
            items: Name and value; a value is ignored by ``remove``.
            now: The clock.
            lost: Asked per item whether its delivery is lost.

        Raises:
            KvpRefused: 32773 for an Add of an item that exists, a Modify or Remove of one that does not, a call with
                no or more than 128 items or the same item twice, and a key or value that is too long.
        """
        names = [name for name, _ in items]
        if not items or len(items) > MAX_ITEMS or len(set(names)) != len(names):
            raise KvpRefused(INVALID_PARAMETER, f"a call takes 1 to {MAX_ITEMS} different items")
        for name, value in items:
            if not name or units(name) > MAX_KEY_UNITS or units(value) > MAX_VALUE_UNITS:
                raise KvpRefused(INVALID_PARAMETER, f"item {name[:64]!r} is too long")
            if (name in self.host) == (kind == "add"):
                raise KvpRefused(
                    INVALID_PARAMETER, f"item {name!r} is {'there already' if kind == 'add' else 'absent'}"
                )
        for name, value in items:
            if kind == "remove":
                del self.host[name]
                self._send(name, None, now, lost)
            else:
                self.host[name] = value
                self._send(name, value, now, lost)

    def connect(self, now: float) -> None:
        """The guest's integration service has started: the host pushes all its items again."""
        self.connected = True
        self._under_way.clear()
        for name, value in self.host.items():
            self._send(name, value, now, lambda _name: False)

    def disconnect(self) -> None:
        """The guest stopped: what was under way is lost, intrinsic items are gone."""
        self.connected = False
        self._under_way.clear()
        self.intrinsic = {}

    def received(self, now: float) -> Mapping[str, str]:
        """The guest's pool as it is now."""
        while self._under_way and self._under_way[0].due <= now:
            arrived = self._under_way.popleft()
            if arrived.value is None:
                self.pool.pop(arrived.name, None)
            else:
                self.pool[arrived.name] = arrived.value
        return dict(self.pool)

    def report(self, name: str, value: str) -> None:
        """The guest writes an item; an earlier one of that name gives way."""
        self.guest = [item for item in self.guest if item[0] != name]
        self.guest.append((name, value))

    def reported(self) -> dict[str, str]:
        """The guest's items; of two with one name the last."""
        return dict(self.guest)

    def _send(self, name: str, value: str | None, now: float, lost: Callable[[str], bool]) -> None:
        if not self.connected or lost(name):
            return
        last = self._under_way[-1].due if self._under_way else now
        self._under_way.append(_Delivery(max(last, now) + self.deliver_seconds, name, value))
