"""The snippets of the README and of the pages in docs: found in the text, and run as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
URL = "http://127.0.0.1:8000"  # where a page says that the cluster is
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Snippet(NamedTuple):
    """A fenced block."""

    language: str
    text: str


def snippets(page: str, *languages: str, heading: str | None = None) -> list[Snippet]:
    """The blocks of these languages on a page (a path in the repository), or in one of its sections."""
    text = (ROOT / page).read_text()
    if heading is not None:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [Snippet(language, code) for language, code in BLOCK.findall(text) if language in languages]


def run(snippet: Snippet, folder: Path, url: str = URL) -> subprocess.CompletedProcess[str]:
    """A Python or bash snippet in a process of its own, in the home `folder`, with a cluster or a server at `url`."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOGLM_")}
    environment |= {"HOME": str(folder), "PATH": path, "AUTOGLM_BASE_URL": f"{url}/v1"}
    interpreter = [sys.executable, "-c"] if snippet.language == "python" else ["bash", "-ec"]
    command = [*interpreter, snippet.text.replace(URL, url)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, cwd=folder)


def expect(words: list[str], done: subprocess.CompletedProcess[str]) -> None:
    """Raises AssertionError, with all that was said, where a snippet failed or did not say one of the words."""
    said = done.stdout + done.stderr
    lacking = [word for word in words if word not in said]
    if lacking or done.returncode:
        raise AssertionError(f"exit status {done.returncode}, lacking {lacking}:\n{said}")
