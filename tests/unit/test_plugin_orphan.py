"""A plugin whose engine was killed ends by itself: a killed engine says no goodbye."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from pulumi_timescaledb.local.process import identify

ENGINE = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "pulumi_timescaledb.plugin", "127.0.0.1:1"], stdout=subprocess.PIPE)
plugin.stdout.readline()
print(plugin.pid, flush=True)
time.sleep(60)
"""


def test_it_outlives_its_engine_by_a_moment_only() -> None:
    with subprocess.Popen([sys.executable, "-c", ENGINE], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        plugin = identify(int(engine.stdout.readline()))
        assert plugin is not None
        time.sleep(1.5)
        assert plugin.alive()
        engine.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while plugin.alive():
        assert time.monotonic() < deadline, "the plugin still runs"
        time.sleep(0.05)
