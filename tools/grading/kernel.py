"""A kernel in the sandbox, watched while it runs."""

import json
import os
import queue
import secrets
import time
from pathlib import Path

import nbformat
import psutil
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from . import sandbox, system_calls

TICK = 0.25  # seconds between two looks at the clock, the memory and the processes

_SHOWN = {"stream", "display_data", "execute_result", "error"}


class StopGradingError(Exception):
    """A submission that gets no mark, and why."""

    def __init__(self, status, remark):
        super().__init__(remark)
        self.status, self.remark = status, remark


class Kernel:
    """A kernel that runs cells of one submission until it finishes or breaks a limit.

    Parameters
    ----------
    environment : dict
        What the sandbox shows, from `sandbox.describe`.
    limits : Limits
        What the submission may use.
    folder : pathlib.Path
        An empty folder, which the caller removes.
    """

    def __init__(self, environment, limits, folder):
        self.limits, self.deadline = limits, time.monotonic() + limits.seconds
        self._printed = 0
        self._looked = 0.0
        calls = Path(folder) / "calls"
        calls.write_bytes(system_calls.filter_program())
        # A path in the sandbox, which is short, and no file of the machine's.
        self._socket = f"{sandbox.HOME}/k-{secrets.token_hex(4)}"
        argv = sandbox.kernel_command(environment, calls, f"{self._socket}.json", limits)
        spec = Path(folder) / "kernels" / "sandbox" / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(
            json.dumps(
                {
                    "argv": argv,
                    "display_name": "sandbox",
                    "language": "python",
                    # A signal would hit bubblewrap, not the kernel.
                    "interrupt_mode": "message",
                }
            )
        )
        self._manager = KernelManager(
            kernel_name="sandbox",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(Path(folder) / "kernels")]),
            transport="ipc",
            ip=self._socket,
            connection_file=str(Path(folder) / "connection.json"),
        )
        self._client = None

    def __enter__(self):
        self._manager.write_connection_file()
        with open(os.devnull, "wb") as nowhere:
            self._manager.start_kernel(stdout=nowhere, stderr=nowhere)
        try:
            client = self._manager.blocking_client()
            client.ip = self._seen_from_outside()
            self._client = client
            client.start_channels()
            client.wait_for_ready(timeout=max(1.0, self.deadline - time.monotonic()))
        except RuntimeError as error:
            self.close()
            raise StopGradingError("grader error", f"No kernel started: {error}") from error
        except BaseException:
            self.close()
            raise
        return self

    def _seen_from_outside(self):
        """Wait for the sockets of the kernel; return their path from outside of the sandbox."""
        while self._manager.is_alive():
            self._look()
            for process in self._processes():
                path = f"/proc/{process.pid}/root{self._socket}"
                if os.path.exists(f"{path}-{self._manager.hb_port}"):
                    return path
            time.sleep(TICK / 5)
        raise RuntimeError("its process ended")

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """End the sandbox with all that runs in it."""
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        if self._client is not None:
            self._client.stop_channels()

    def run(self, source, history=True):
        """Run one cell and return its outputs.

        Parameters
        ----------
        source : str
            Code.
        history : bool
            Whether later cells may find the code in the history of the kernel.

        Returns
        -------
        list of nbformat.NotebookNode
            Outputs; an error is one of them.

        Raises
        ------
        StopGradingError
            The notebook breaks a limit, or its kernel ends.
        """
        request = self._client.execute(source, store_history=history, allow_stdin=False)
        outputs = []
        while True:
            self._look()
            try:
                message = self._client.get_iopub_msg(timeout=TICK)
            except queue.Empty:
                continue
            self._count(message)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    return outputs + self._hidden_error(request, outputs)
            elif message["msg_type"] == "clear_output":
                outputs.clear()
            elif message["msg_type"] in _SHOWN:
                _append(outputs, nbformat.v4.output_from_msg(message))

    def _hidden_error(self, request, outputs):
        """Wait for the reply to a request; return an error that it tells of and no output shows."""
        reply = None
        while reply is None or reply["parent_header"].get("msg_id") != request:
            self._look()
            try:
                reply = self._client.get_shell_msg(timeout=TICK)
            except queue.Empty:
                continue
        content = reply["content"]
        shown = any(output.output_type == "error" for output in outputs)
        if content.get("status") == "ok" or shown:
            return []
        name, value = str(content.get("ename")), str(content.get("evalue"))
        return [nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[])]

    def _count(self, message):
        self._printed += _length([message["content"], message["buffers"]])
        if self._printed > self.limits.output:
            raise StopGradingError(
                "too much output",
                f"The notebook prints more than {self.limits.output // 2**20} MB.",
            )

    def _look(self):
        """Raise where the notebook breaks a limit."""
        now = time.monotonic()
        if now < self._looked + TICK:
            return
        self._looked = now
        if now > self.deadline:
            raise StopGradingError(
                "time limit", f"The notebook runs longer than {self.limits.seconds:g} seconds."
            )
        if not self._manager.is_alive():
            raise StopGradingError(
                "kernel ended", "The notebook ends its own kernel, or asks for too much memory."
            )
        self._look_at_processes()

    def _processes(self):
        try:
            return psutil.Process(self._manager.provisioner.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def _look_at_processes(self):
        processes = self._processes()
        if len(processes) > self.limits.processes:
            raise StopGradingError(
                "too many processes",
                f"The notebook starts more than {self.limits.processes} processes.",
            )
        if _memory(processes, "rss") <= self.limits.memory:
            return
        # Children share pages with their parent, and count them again: now each page once.
        if _memory(processes, "pss") > self.limits.memory:
            raise StopGradingError(
                "memory limit",
                f"The notebook needs more than {self.limits.memory // 2**20} MB of memory.",
            )


def _length(content):
    """Return the characters and bytes in a message, however deep its lists and dictionaries."""
    waiting, total = [content], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, str | bytes | memoryview):
            total += len(part)
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            waiting += part
        else:
            total += 1
    return total


def _memory(processes, kind):
    """Return the bytes that processes hold: "rss" is quick, "pss" counts shared pages once."""
    total = 0
    for process in processes:
        try:
            info = process.memory_info() if kind == "rss" else process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total += getattr(info, kind)
    return total


def _append(outputs, output):
    """Append an output; pieces of one stream become one output."""
    last = outputs[-1] if outputs else {}
    if output.output_type == "stream" and last.get("name") == output.name:
        last.text += output.text
    else:
        outputs.append(output)
