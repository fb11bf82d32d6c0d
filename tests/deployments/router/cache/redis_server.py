"""A Redis of the tests' own, on a socket in a temporary folder, which can be killed and brought back."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self


class RedisServer:
    """Nothing on disk, no network; what it held is gone when it is killed."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="autoglm-redis-"))  # short: a socket's path has 107 characters
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._folder}/redis"

    def start(self) -> None:
        """Back when it takes connections."""
        if shutil.which("redis-server") is None:
            raise FileNotFoundError("no Redis on this machine, which these tests need: apt-get install redis-server")
        settings = {"port": "0", "unixsocket": f"{self._folder}/redis", "save": "", "dir": str(self._folder)}
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(["redis-server", *words], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said: list[str] = []
        for line in self._process.stdout:
            said.append(line)
            if "ready to accept connections" in line:
                return
        raise RuntimeError(f"Redis did not start: {''.join(said)}")

    def stop(self) -> None:
        """It keeps its sockets and says nothing more, until it is killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        shutil.rmtree(self._folder)
