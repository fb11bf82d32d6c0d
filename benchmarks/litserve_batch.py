"""LitServe's batching: both subjects at paths of their own.

python -m benchmarks.litserve_batch PORT
"""

from __future__ import annotations

import signal
import sys
from typing import Any

# LitServe 0.2.19 does not start where `mcp` is installed without `fastmcp`; so to it, and to it alone, `mcp` is absent.
sys.modules["mcp"] = None  # type: ignore[assignment]

import litserve  # noqa: E402  (after what it must not see)

del sys.modules["mcp"]

from benchmarks.serve_batch import MAX_BATCH_SIZE, WAIT_S  # noqa: E402
from benchmarks.subjects import adapter  # noqa: E402


class Subject(litserve.LitAPI):
    """One input a request."""

    def __init__(self, subject: str) -> None:
        super().__init__(max_batch_size=MAX_BATCH_SIZE, batch_timeout=WAIT_S, api_path=f"/{subject}")
        self._subject = subject

    def setup(self, device: str) -> None:
        """Load the model, in the worker's process."""
        self._adapter = adapter(self._subject)

    def decode_request(self, request) -> Any:  # type: ignore[no-untyped-def]  # LitServe takes an annotation for a schema
        """The input, as the model takes it."""
        return self._adapter.parse(request["inputs"][0], 0)

    def batch(self, inputs: list[Any]) -> list[Any]:
        """As they are: a list is what an adapter takes."""
        return inputs

    def predict(self, x: list[Any]) -> list[Any]:
        """The predictions of a batch."""
        return list(self._adapter.predict(x))

    def unbatch(self, output: list[Any]) -> list[Any]:
        """One for each request."""
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        """A prediction as JSON."""
        return output.model_dump()


def main(port: int) -> None:
    """Serve until a signal."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # LitServe ends its processes on Ctrl-C alone
    server = litserve.LitServer([Subject("stub"), Subject("sentiment")], accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
