#!/usr/bin/env python3
"""pty_run.py - runs a program on a terminal of its own and answers its first question.

usage: pty_run.py PIDFILE QUESTION ANSWERFILE TRANSCRIPT PROGRAM [ARGUMENT]...

Writes the program's pid, waits for QUESTION on the terminal, types the line of ANSWERFILE, and stays until the program has ended.
What the terminal showed is in TRANSCRIPT; standard error goes where ours goes.  The status is the program's.
"""
import os
import pty
import sys


def main():
    pidfile, question, answerfile, transcript, *command = sys.argv[1:]
    stderr = os.dup(2)
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.execvp(command[0], command)
    with open(pidfile, "w") as f:
        f.write(f"{pid}\n")
    shown, answered = b"", False
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the last one at the terminal has gone
            break
        if not part:
            break
        shown += part
        with open(transcript, "wb") as f:
            f.write(shown)
        if not answered and question.encode() in shown:
            with open(answerfile, "rb") as f:
                os.write(terminal, f.readline())
            answered = True
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main())
