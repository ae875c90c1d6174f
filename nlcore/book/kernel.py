"""The kernel that chapters are executed in."""

import sys

from jupyter_client.manager import AsyncKernelManager


class OurKernel(AsyncKernelManager):
    """A kernel with the Python of this process, and so with this package, whatever `python3` means to Jupyter."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file, *(extra_arguments or [])]
