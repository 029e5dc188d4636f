"""Mounts and processes that end with the test, however it ends.

    sys.exit(enclosed(main))

main() runs among processes and mounts of its own (pid and mount namespaces).  When this process
ends, even by SIGKILL, the kernel ends all that main() started; the last of them takes the mounts
along, and loop devices in use by nothing else let go of their files.
"""
import ctypes
import os
import signal
import subprocess
import sys

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if libc.unshare(flags):
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")


def end_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def status_of(status):
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def run(main):
    """main() in a child; its status."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code)
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # the child must not return into its parent's code
        import traceback
        traceback.print_exc(file=sys.stdout)
    finally:
        sys.stdout.flush()
        os._exit(status)


def init(main):
    """The first process of the namespace: it waits for orphans, and for main()."""
    end_with_parent()
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    child = run(main)
    while True:
        pid, status = os.wait()
        if pid == child:
            sys.exit(status_of(status))


def enclosed(main):
    """The status of main(): 0, or what it gave to sys.exit(); 1 when that was a text, which is printed."""
    unshare(CLONE_NEWNS | CLONE_NEWPID)
    first = run(lambda: init(main))
    return status_of(os.waitpid(first, 0)[1])
