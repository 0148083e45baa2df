"""The failover cluster that a simulated host may be a node of: the node's state and the roles. Pure."""

from dataclasses import dataclass

from aetherv_simhost.hyperv.errors import ClusterRefused

NODE_STATES = ("up", "paused", "draining", "down")


@dataclass(slots=True)
class Cluster:
    """A cluster of one node. Not thread-safe: the model's lock guards it.

    Attributes:
        name: Empty: the host is no node of a cluster.
        node_state: One of ``NODE_STATES``.
        roles: Ids of the VMs that are clustered roles.
    """

    name: str = ""
    node_state: str = "up"
    roles: frozenset[str] = frozenset()

    def set_node_state(self, state: str) -> None:
        """Pauses, drains or resumes the node.

        Raises:
            ClusterRefused: No cluster, or a state that there is not.
        """
        self._needed()
        if state not in NODE_STATES:
            raise ClusterRefused(f"a node is one of {', '.join(NODE_STATES)}")
        self.node_state = state

    def add(self, vm_id: str) -> None:
        """Makes a VM a role; one that is a role already stays so.

        Raises:
            ClusterRefused: No cluster, or the node is down.
        """
        self._needed()
        if self.node_state == "down":
            raise ClusterRefused(
                "The cluster service is not running.  Make sure that the service is running on all nodes in the cluster."
            )
        self.roles |= {vm_id}

    def remove(self, vm_id: str) -> None:
        """Removes a VM's role; the VM stays."""
        self.roles -= {vm_id}

    def _needed(self) -> None:
        if not self.name:
            raise ClusterRefused(
                "The cluster service is not running.  Make sure that the service is running on all nodes in the cluster."
            )
