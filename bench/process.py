"""What the servers that script/bench runs have in common: ports, processors, CPU time, an orderly end."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf('SC_CLK_TCK')
SERVER_CPU, CLIENT_CPU = '0', '1'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(port, process, seconds=30):
    """Until something listens; ends the benchmark when the process ended before, or nothing does."""
    for _ in range(int(seconds / 0.05)):
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        if process.poll() is not None:
            sys.exit(f'bench: {process.args} ended with {process.returncode}')
        time.sleep(0.05)
    sys.exit(f'bench: nothing answers on port {port}')


def start(command, pinned=SERVER_CPU, **more):
    """Runs it on one processor; it is told to stop when the benchmark itself is killed."""
    return subprocess.Popen(['setpriv', '--pdeathsig', 'TERM', 'taskset', '-c', pinned, *map(str, command)], **more)


def stop(process, how=signal.SIGTERM, seconds=30):
    """Asks, waits, and if need be kills; its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def stat(pid):
    """(user + system, the same of the children that ended), in seconds."""
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS, (int(fields[13]) + int(fields[14])) / TICKS


def cpu_seconds(pid):
    """User and system time of a process, all its threads, and of its children, whether they live or ended."""
    total = sum(stat(pid))
    for child in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split():
        try:
            total += sum(stat(child))
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended just now: its parent has it from the next look on
    return total


def status_mb(pid, what):
    text = pathlib.Path(f'/proc/{pid}/status').read_text()
    return int(re.search(rf'{what}:\s+(\d+) kB', text).group(1)) / 1024
