"""The sandbox: a kernel that sees the book's environment and nothing else of the machine."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import system_calls

HOME = "/tmp/home"
FONTS = "/tmp/matplotlib"

HOW_TO_GET_IT = """\
Submissions are programs of strangers, so nothing is graded without bubblewrap (bwrap), which is
made for Linux.
  Debian, Ubuntu:  sudo apt-get install bubblewrap
  Fedora:          sudo dnf install bubblewrap
  macOS, Windows:  use a virtual machine, or WSL 2, with one of these systems"""

HOW_TO_ALLOW_IT = """\
bubblewrap is installed, but may not make a sandbox here: user namespaces are forbidden.
  Ubuntu 24.04 and newer: allow them for bwrap with an AppArmor profile; the file
    /etc/apparmor.d/bwrap with the four lines
      abi <abi/4.0>,
      include <tunables/global>
      profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }
      # then: sudo systemctl reload apparmor
  Debian: sudo sysctl kernel.unprivileged_userns_clone=1
  In a container: start it with --security-opt seccomp=unconfined, or grade outside of it"""


class NoSandboxError(RuntimeError):
    """No sandbox can be made on this machine; the message says what to do."""


def check():
    """Raise a NoSandboxError unless a sandbox can be made.

    Raises
    ------
    NoSandboxError
        bubblewrap is missing, too old, or not allowed to work.
    """
    if shutil.which("bwrap") is None or shutil.which("prlimit") is None:
        raise NoSandboxError(HOW_TO_GET_IT)
    with tempfile.NamedTemporaryFile() as file:
        file.write(system_calls.filter_program())
        file.flush()
        trial = subprocess.run(
            [
                *_opened(file.name, os.devnull),
                *_walls(4096),
                *("--seccomp", _FILTER, "--", *_as_nobody(), "/usr/bin/env", "true"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if "--size" in trial.stderr:
        raise NoSandboxError(
            f"This bubblewrap is too old, 0.8 or newer is needed.\n{HOW_TO_GET_IT}"
        )
    if trial.returncode:
        raise NoSandboxError(f"{HOW_TO_ALLOW_IT}\nbubblewrap says: {trial.stderr.strip()}")


def describe(python, cache):
    """Return what a sandbox shows of an environment, once for all submissions.

    Parameters
    ----------
    python : pathlib.Path
        The Python of the book's environment.
    cache : pathlib.Path
        Folder for Matplotlib's list of fonts, which takes seconds to make.

    Returns
    -------
    dict
        ``python``, ``shown`` (folders) and ``fonts`` (files).

    Raises
    ------
    RuntimeError
        The environment lacks lossutils or ipykernel.
    """
    # Not resolved: a virtual environment is known by the path of the link.
    python, cache = Path(python).absolute(), Path(cache).absolute()
    cache.mkdir(parents=True, exist_ok=True)
    found = subprocess.run(
        [python, "-c", _FIND],
        capture_output=True,
        text=True,
        check=False,
        cwd=cache,
        env={**os.environ, "MPLCONFIGDIR": str(cache)},
    )
    if found.returncode:
        raise RuntimeError(f"{python} is not the book's environment: {found.stderr.strip()}")
    shown = json.loads(found.stdout)
    shown = [path for path in shown if not path.startswith("/usr/") and Path(path).exists()]
    fonts = sorted(str(path) for path in cache.glob("fontlist*.json"))
    return {"python": str(python), "shown": shown, "fonts": fonts}


_FIND = """
import importlib.util, json, os, sys
import ipykernel, matplotlib.font_manager
package = os.path.dirname(importlib.util.find_spec("lossutils").origin)
data = os.path.join(os.path.dirname(package), "data")
print(json.dumps([sys.prefix, sys.base_prefix, package, data]))
"""


def kernel_command(environment, calls, connection, limits):
    """Return the command that starts a kernel in the sandbox.

    Parameters
    ----------
    environment : dict
        From `describe`.
    calls : pathlib.Path
        File with the filter from `system_calls.filter_program`.
    connection : str
        Where the sandbox has the connection file. The kernel shares no folder with the grader: its
        sockets lie in the memory of the sandbox.
    limits : Limits
        What one submission may use.

    Returns
    -------
    list of str
        An argv for a kernel spec, with a place for the grader's connection file.
    """
    command = [*_opened(calls, "{connection_file}"), *_walls(limits.files)]
    for path in environment["shown"]:
        command += [*_parents(path), "--ro-bind", path, path]
    command += [*_FOR_ALL, "--dir", FONTS]
    for path in environment["fonts"]:
        command += ["--ro-bind", path, f"{FONTS}/{Path(path).name}"]
    command += ["--perms", "0444", "--file", _CONNECTION, connection, "--seccomp", _FILTER]
    for name, value in _variables(environment).items():
        command += ["--setenv", name, value]
    command += [*_FOR_ALL, "--dir", "/tmp/work", "--chdir", "/tmp/work", "--", *_as_nobody()]
    limited = {
        "as": limits.address_space,
        "fsize": limits.files,
        "cpu": 2 * int(limits.seconds),
        "core": 0,
        "nofile": 1024,
        "nproc": limits.threads,
    }
    command += ["/usr/bin/prlimit", *(f"--{key}={value}" for key, value in limited.items())]
    # Nicer than the grader, which has to look at the clock however busy the sandbox is.
    command += ["/usr/bin/nice", "-n", "10", environment["python"], "-m", "ipykernel_launcher"]
    command += ["-f", connection]
    return [*command, "--IPKernelApp.log_level=50", "--HistoryManager.enabled=False"]


_FOR_ALL = ("--perms", "1777")

# Files that bubblewrap reads from its starter, by the numbers under which they are open.
_FILTER, _CONNECTION = "9", "8"


def _opened(calls, connection):
    """Return a start of the command that opens the two files."""
    program = f'exec {_FILTER}< "$1" {_CONNECTION}< "$2"; shift 2; exec "$@"'
    return ["/bin/sh", "-c", program, "sandbox", str(calls), str(connection)]


def _parents(path):
    """Return what makes the folders above a path, which are the starter's alone otherwise."""
    above = [str(parent) for parent in reversed(Path(path).parents) if parent != Path("/")]
    return [word for parent in above for word in ("--perms", "0755", "--dir", parent)]


def user():
    """Return the user that a sandbox runs as: the own one, or for root one that nobody is.

    Linux limits the number of processes for each user, but not for root, and not for a user in a
    namespace who is root outside.
    """
    return 20_000 + os.getpid() % 40_000 if os.geteuid() == 0 else os.geteuid()


def _as_nobody():
    """Return what makes root another user, once root has built the sandbox."""
    if os.geteuid() != 0:
        return []
    number = str(user())
    become = ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups"]
    return [*become, "--inh-caps=-all", "--no-new-privs"]


def _walls(files):
    """Return the part of the command that shuts everything out."""
    command = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--cap-drop", "ALL", "--hostname", "sandbox", "--ro-bind", "/usr", "/usr"]
    if os.geteuid() == 0:
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    for path in map(Path, ("/bin", "/sbin", "/lib", "/lib32", "/lib64")):
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"):
        command += ["--ro-bind-try", path, path]
    memory = ["--size", str(files), *_FOR_ALL, "--tmpfs"]
    command += ["--proc", "/proc", "--dev", "/dev", *memory, "/dev/shm", "--remount-ro", "/dev"]
    return [*command, *memory, "/tmp", *_FOR_ALL, "--dir", HOME]


def _variables(environment):
    one = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "PYTHONDONTWRITEBYTECODE",
            "PYDEVD_DISABLE_FILE_VALIDATION",
        ),
        "1",
    )
    return {
        **one,
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{Path(environment['python']).parent}:/usr/bin:/bin",
        "MPLCONFIGDIR": FONTS,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONHASHSEED": "0",
    }
