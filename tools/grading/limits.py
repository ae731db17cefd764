"""How much of the machine one submission may use."""

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits of one submission.

    Parameters
    ----------
    seconds : float
        For the whole notebook, tests included, from the start of its process.
    memory : int
        Bytes that all of its processes hold together.
    address_space : int
        Bytes of addresses that one process may ask for. TensorFlow asks for 3 GB and holds 1 GB.
    processes : int
        Processes at the same time.
    threads : int
        Threads of all processes; the system refuses more. TensorFlow starts some thirty.
    output : int
        Bytes that it may print or draw.
    files : int
        Bytes of all files that it writes; they live in memory.
    """

    seconds: float = 180.0
    memory: int = 3000 * MEGABYTE
    address_space: int = 8000 * MEGABYTE
    processes: int = 40
    threads: int = 256
    output: int = 10 * MEGABYTE
    files: int = 256 * MEGABYTE
