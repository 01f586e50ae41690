"""The peers that script/bench --peers runs beside licet. docs/performance.md says what is compared."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from process import TOP, cpu_seconds, free_port, start, stop, wait_for

PEERS = TOP / 'bench/peers'
NODE = TOP / 'script/node'


def install():
    """Node's packages into their own folder, as locked; PostgreSQL from Debian when it is missing."""
    if not postgres_programs():
        subprocess.run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'postgresql'], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run([str(TOP / 'script/bootstrap')], check=True)
    stamp, lock = PEERS / 'node_modules/.licet-stamp', PEERS / 'package-lock.json'
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        print('# installing the peers', flush=True)
        subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], cwd=PEERS, check=True)
        stamp.write_bytes(lock.read_bytes())


def postgres_programs():
    """The folder of the newest PostgreSQL, or None."""
    found = sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin/initdb'), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """A cluster of its own in a temporary folder, reached by a Unix socket in it. Durable: fsync and
    synchronous_commit are on, as they are by default."""

    def __init__(self):
        self.user = None
        if os.geteuid() == 0:  # it refuses to run as root
            self.user = next(u for u in ('postgres', 'nobody') if self._exists(u))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='licet-bench-postgres-', dir='/var/tmp'))
        self.process = None
        try:
            self._run()
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _exists(user):
        try:
            return bool(pwd.getpwnam(user))
        except KeyError:
            return False

    def _as_user(self, command):
        if not self.user:
            return command
        return ['setpriv', f'--reuid={self.user}', f'--regid={pwd.getpwnam(self.user).pw_gid}', '--clear-groups',
                '--pdeathsig', 'INT', *command]

    def _run(self):
        programs = postgres_programs()
        if self.user:
            shutil.chown(self.folder, self.user)
        subprocess.run(self._as_user([programs / 'initdb', '-D', self.folder / 'data', '-U', 'bench', '-A', 'trust', '-E', 'UTF8',
                                      '--no-instructions']), check=True, stdout=subprocess.DEVNULL, cwd='/')
        settings = {'listen_addresses': '', 'unix_socket_directories': self.folder, 'fsync': 'on', 'synchronous_commit': 'on',
                    'shared_buffers': '256MB', 'max_wal_size': '4GB', 'log_min_messages': 'error', 'log_checkpoints': 'off'}
        self.log = open(self.folder / 'log', 'w')
        options = [part for name, value in settings.items() for part in ('-c', f'{name}={value}')]
        self.process = start(self._as_user([programs / 'postgres', '-D', self.folder / 'data', *options]), stdout=self.log,
                             stderr=self.log, cwd='/')
        for _ in range(400):
            if self.ask('SELECT 1', check=False) == '1':
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit('bench: PostgreSQL does not start\n' + (self.folder / 'log').read_text())

    def ask(self, sql, check=True):
        answer = subprocess.run([postgres_programs() / 'psql', '-h', str(self.folder), '-U', 'bench', '-d', 'postgres', '-AtXqc', sql],
                                capture_output=True, text=True)
        if check and answer.returncode:
            sys.exit(f'bench: PostgreSQL: {answer.stderr}')
        return answer.stdout.strip()

    def stop(self):
        if self.process:
            stop(self.process, signal.SIGINT)
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class NodeServer:
    def __init__(self, script, folder, **env):
        self.port = free_port()
        self.log = open(folder / f'{script}.log', 'w')
        self.process = start([NODE, PEERS / script], stdout=self.log, stderr=self.log, cwd=PEERS,
                             env=dict(os.environ, NODE_ENV='production', PEER_PORT=str(self.port), **env))
        try:
            wait_for(self.port, self.process)
        except BaseException:
            self.stop()
            sys.stderr.write((folder / f'{script}.log').read_text())
            raise
        self.pid = self.process.pid

    def cpu(self):
        return [cpu_seconds(self.pid)]

    def stop(self):
        stop(self.process)
        self.log.close()


class C15t:
    """c15t's backend and its database. cpu() gives both: Node's, PostgreSQL's (all its processes)."""

    def __init__(self, folder):
        self.postgres = Postgres()
        try:
            self.node = NodeServer('c15t.mjs', folder, PGHOST=str(self.postgres.folder), PGUSER='bench', PGDATABASE='postgres')
        except BaseException:
            self.postgres.stop()
            raise
        self.port = self.node.port

    def cpu(self):
        return [*self.node.cpu(), cpu_seconds(self.postgres.process.pid)]

    def records(self):
        return int(self.postgres.ask('SELECT count(*) FROM consent'))

    def stop(self):
        try:
            self.node.stop()
        finally:
            self.postgres.stop()


class WalkerOS(NodeServer):
    def __init__(self, folder):
        super().__init__('walkeros.mjs', folder)

    def records(self):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/taken') as answer:
            return json.load(answer)['taken']
