"""What a sandboxed program does to itself first: limits, and no new processes or sockets.

Standard library alone. The limits come in the environment variable ``CONFINE`` as JSON; after
``confine()`` the process cannot widen them again.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys

VARIABLE = "CONFINE"
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
CLONE_THREAD = 0x0001_0000
ALLOW, REFUSE = 0x7FFF_0000, 0x0005_0000
EPERM, EAGAIN, ENOSYS = 1, 11, 38
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
# Per machine: AUDIT_ARCH, and the numbers of the calls a confined program does without.
CALLS = {
    "x86_64": (
        0xC000_003E,
        {
            "clone": 56,
            "fork": 57,
            "vfork": 58,
            "clone3": 435,
            "socket": 41,
            "memfd_create": 319,
            "ptrace": 101,
        },
    ),
    "aarch64": (
        0xC000_00B7,
        {"clone": 220, "clone3": 435, "socket": 198, "memfd_create": 279, "ptrace": 117},
    ),
}


def confine() -> None:
    """Apply the limits of ``CONFINE``; without the variable nothing happens."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return
    limits = json.loads(text)
    die_with_parent(limits.get("parent") or 0)
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    # The soft limit ends the process with SIGXCPU; ignoring that signal buys one second.
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 1))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    _filter_calls(ctypes.CDLL(None, use_errno=True))


def die_with_parent(parent: int) -> None:
    """The kernel ends this process when ``parent`` goes, however it went (0: whoever started it)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        sys.exit(1)


def is_filterable() -> bool:
    """Whether this machine's system calls are known here."""
    return platform.machine() in CALLS


def _filter_calls(libc: ctypes.CDLL) -> None:
    """Threads yes; processes, sockets and nameless files no. Refusals look like a full system's."""
    known = CALLS.get(platform.machine())
    if known is None:
        return
    program = _program(*known)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(header), 0, 0) != 0:
        print("this kernel takes no system call filter", file=sys.stderr)


def _program(arch: int, calls: dict[str, int]) -> bytes:
    """Classic BPF over struct seccomp_data: call number at 0, machine at 4, first argument at 16."""
    code = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, arch), (RETURN, 0, 0, REFUSE | EPERM), (LOAD, 0, 0, 0)]
    for name, number in calls.items():
        if name == "clone":
            continue
        error = {"clone3": ENOSYS, "fork": EAGAIN, "vfork": EAGAIN}.get(name, EPERM)
        code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | error)]
    code += [
        (EQUAL, 1, 0, calls["clone"]),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, 16),
        (ANY_BIT, 0, 1, CLONE_THREAD),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE | EAGAIN),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in code)
