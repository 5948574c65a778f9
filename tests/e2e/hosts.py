"""Hosts for the end-to-end tests: network namespaces at a switch, whose links lose packets, are slow or cut.

Each namespace is held by a process that ends with the test, however that ends, and the kernel then
takes the namespace and its links away. Nothing of the machine's own network is touched.
"""

import os
import shutil
import subprocess

PROGRAMS = ["ip", "iptables", "nsenter", "tc", "unshare"]
# One of everything that is made below.
PROBE = """
ip link add switch type bridge
ip link add port type veth peer name eth0
ip link set port master switch
tc qdisc add dev eth0 root tbf rate 1mbit burst 32kb latency 50ms
iptables --wait --append INPUT --match statistic --mode random --probability 0.1 --jump DROP
"""


def unavailable():
    """Why no hosts can be made here; None when they can."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return "not installed: " + ", ".join(missing)
    probe = subprocess.run(
        ["unshare", "--net", "sh", "-e", "-c", PROBE], capture_output=True, text=True
    )
    return f"the system refuses: {probe.stderr.strip()}" if probe.returncode else None


class Namespace:
    """A network of its own; `enter` before a command runs it there."""

    def __init__(self):
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._holder.stdout.readline()  # it is made now
        self.pid = self._holder.pid
        self.enter = ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def run(self, command):
        arguments = [*self.enter, *command.split()]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr.strip()}")

    def close(self):
        self._holder.communicate()


class Host(Namespace):
    def __init__(self, switch, index):
        super().__init__()
        self.address = f"10.77.0.{index + 1}"
        self._switch = switch
        self._port = f"port{index}"
        switch.run(f"ip link add {self._port} type veth peer name eth0 netns {self.pid}")
        self.heal()
        switch.run(f"ip link set {self._port} up")
        self.run("ip link set lo up")
        self.run("ip link set eth0 up")
        self.add_address(self.address)

    def partition(self):
        """Nothing comes or goes any more, and the host's own link does not show it."""
        self._switch.run(f"ip link set {self._port} nomaster")

    def heal(self):
        self._switch.run(f"ip link set {self._port} master switch")

    def lose(self, probability):
        """Loses that share of the packets that come to the host."""
        self.run(
            "iptables --wait --append INPUT --in-interface eth0 --match statistic --mode random "
            f"--probability {probability} --jump DROP"
        )

    def limit(self, rate):
        """In each direction, in tc's words."""
        shape = f"root tbf rate {rate} burst 64kb latency 50ms"
        self.run(f"tc qdisc replace dev eth0 {shape}")
        self._switch.run(f"tc qdisc replace dev {self._port} {shape}")

    def add_address(self, address):
        self.run(f"ip address add {address}/24 dev eth0")

    def drop_address(self, address):
        self.run(f"ip address del {address}/24 dev eth0")


class Network:
    def __init__(self, count):
        self._switch = Namespace()
        self.hosts = []
        try:
            self._switch.run("ip link add switch type bridge")
            self._switch.run("ip link set switch up")
            for index in range(count):
                self.hosts.append(Host(self._switch, index))
        except BaseException:
            self.close()
            raise

    def forget_neighbours(self):
        """As after the announcement of an address that has moved to another host."""
        for host in self.hosts:
            host.run("ip neighbour flush all")

    def close(self):
        for namespace in [*self.hosts, self._switch]:
            namespace.close()
