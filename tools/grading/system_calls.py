"""The system calls that no submission may make, as a filter that bubblewrap hands to Linux.

What a process holds counts against its memory limit, but memory in a file without a name, in a
segment of System V, or in a file system of a namespace of its own is in no process. And a notebook
stays on its processor: on another one it would take the time of another student's.
"""

import errno
import platform
import struct

# For each machine: Linux's number of it, and of the calls.
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FORBIDDEN = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "sched_setaffinity": (203, 122),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
_CLONE = (56, 220)
_CLONE3 = 435  # its flags lie in memory, out of the filter's sight; without it, clone is called
_NEW_USER = 0x10000000  # the flag of clone that makes a namespace

_NUMBER, _MACHINE, _FLAGS = 0, 4, 16  # places in what the filter reads
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000


def filter_program():
    """Return the filter for the machine that this runs on.

    Returns
    -------
    bytes
        A program in the form of ``seccomp``: each instruction in 8 bytes.

    Raises
    ------
    RuntimeError
        The numbers of this machine's calls are not known here.
    """
    if platform.machine() not in _MACHINES:
        raise RuntimeError(
            f"Grading knows the system calls of {' and '.join(_MACHINES)}, and not those of "
            f"{platform.machine()}: grade on another machine."
        )
    at = list(_MACHINES).index(platform.machine())
    no_such_call, not_allowed = _FAIL | errno.ENOSYS, _FAIL | errno.EPERM
    steps = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, _MACHINES[platform.machine()])]
    # Programs of 32 bits have other numbers.
    steps += [(_RETURN, 0, 0, no_such_call), (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, no_such_call)]
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, no_such_call)]
    for numbers in _FORBIDDEN.values():
        steps += [(_EQUAL, 0, 1, numbers[at]), (_RETURN, 0, 0, not_allowed)]
    steps += [(_EQUAL, 0, 3, _CLONE[at]), (_LOAD, 0, 0, _FLAGS)]
    steps += [(_ANY_BIT, 0, 1, _NEW_USER), (_RETURN, 0, 0, not_allowed)]
    steps += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
