"""How much of the machine was somebody else's while a command ran."""

import os
import pathlib
import platform
import resource
import subprocess
import time

CORES = os.cpu_count() or 1


def busy_seconds():
    """Processor seconds spent since start-up by anyone, a hypervisor's share included; None where unknown."""
    try:
        fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, soft_irq, steal = (int(field) for field in fields[:8])
    return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    total = 0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


class Watch:
    """Measures the share of all cores that others used between entry and exit."""

    def __enter__(self):
        self.start = (time.perf_counter(), busy_seconds(), own_seconds())
        return self

    def __exit__(self, *_):
        elapsed = time.perf_counter() - self.start[0]
        busy = busy_seconds()
        if busy is None:
            # Only the load is known: what stood in the queue before us, spread over the cores.
            self.others = max(0.0, os.getloadavg()[0] - CORES) / CORES
            return
        own = own_seconds() - self.start[2]
        self.others = max(0.0, busy - self.start[1] - own) / (elapsed * CORES)


def machine():
    """The processor's name and number of cores."""
    name = platform.processor() or platform.machine()
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        try:
            name = subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
        except (OSError, subprocess.CalledProcessError):
            pass
    return f"{name}, {CORES} cores"
