# SPDX-License-Identifier: Apache-2.0
"""Watches one boot: a breakpoint on every ecall of both programs, and one behind it for the answer.

Both programs have the same addresses; satp tells the tasks apart. The watch has a thread of its
own, since QEMU prints meanwhile.
"""
import collections
import socket
import threading
import time
import traceback

from judge import facts
from siphash import content_hash
from witness import sv39
from witness.model import Call, Model
from witness.stub import INSTRUCTIONS, SATP, Ended, Stub, StubError
from witness.text import Program

STOPS_MAX = 20000  # a1 maps its 8 MiB page by page in both tasks: 8,192 calls, two stops each
IDLE_YIELDS = 16  # of init in a row, with no call between: init is done
YIELD, EXIT, PUTC, NEWLINE = "yield", "exit", "debug_putc", 10
POLLS = (YIELD, "nsec")
SP, GP, A0, A1, A6, A7, PC = 2, 3, 10, 11, 16, 17, 32
JOIN_SECONDS = 60  # a large VMO may be hashed meanwhile
GAP_INSTRUCTIONS = 50000  # more than a call takes, and less than a slice of time


class Watch:
    """stops, seconds: what it cost. model: what it saw."""

    def __init__(self, init_elf, consumer_elf, nonce):
        self.programs = [Program("producer", init_elf), Program("consumer", consumer_elf)]
        self.link, self.theirs = socket.socketpair()
        self.ending, self.ended = socket.socketpair()
        self.stops, self.seconds, self.nonce = 0, 0.0, nonce
        self.is_done = False  # it saw init's end, and let the guest go
        self.gave_up = False  # the guest stands still for ever
        self.model = self.stub = self.thread = self.trace = None
        self.idle, self.spaces = 0, {}  # init's yields in a row; tasks by the root of their page table
        self.added = 0  # instructions that QEMU counted for our stops
        self.fixed, self.passing = set(), collections.Counter()  # breakpoints; those for answers

    def words(self):
        """For QEMU's command line: it starts stopped, and hears us through a descriptor that it
        inherits. With sleep=off, guest time would leap to the next timer at each stop."""
        link = f"socket,id=witness,fd={self.theirs.fileno()}"
        return ["-icount", "shift=0,sleep=on", "-S", "-chardev", link, "-gdb", "chardev:witness"]

    def fileno(self):
        """Readable once the watch has ended."""
        return self.ended.fileno()

    def reason(self):
        return next(iter(self.model.faults), "no reason")

    def start(self, end):
        """end: the moment at which all waiting ends."""
        self.theirs.close()
        self.stub = Stub(self.link, end)
        self.model = Model(self.stub, self.nonce)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def join(self):
        """Once QEMU has ended."""
        self.thread.join(JOIN_SECONDS)
        if self.thread.is_alive() or self.trace:
            raise RuntimeError(self.trace or "the witness does not end")
        for link in (self.link, self.ended):
            link.close()

    def run(self):
        begin = time.monotonic()
        try:
            self.watch()
        except Ended:
            if not self.is_done:  # else QEMU ended while the stub's last answer was acknowledged
                self.model.fault("QEMU ended before the witness had seen init's end")
        except StubError as error:
            self.model.fault(str(error))
            self.gave_up = True
        except Exception:  # pylint: disable=broad-except
            self.trace, self.gave_up = traceback.format_exc(), True
        self.seconds = time.monotonic() - begin
        self.model.close()
        self.ending.close()

    # ---- Stops -----------------------------------------------------------------------------------
    def watch(self):
        for program in self.programs:
            self.fixed |= program.sites | program.odd_sites | {program.entry}
            for fault in program.faults:
                self.model.fault(f"{program.name}: {fault}")
        self.stub.begin()
        self.model.start_init()
        for address in self.fixed:
            self.stub.put(address)
        while self.idle < IDLE_YIELDS:
            self.stub.resume("c")
            self.stops += 1
            if self.stops > STOPS_MAX:
                raise StubError(f"more than {STOPS_MAX} stops: a task floods the kernel with calls")
            self.stop()
        for task in self.spaces.values():
            self.model.check_pages(task, task.program, False)
        self.model.finish()
        for address in self.fixed | set(+self.passing):
            self.stub.take(address)
        self.is_done = True
        self.stub.leave()

    def stop(self):
        registers, satp = self.stub.registers(), self.stub.csr(SATP)
        pc, task = registers[PC], self.spaces.get(sv39.root_of(satp)) or self.enter(satp)
        count = self.stub.csr(INSTRUCTIONS)
        has_begun = task and task.program is None
        if has_begun:
            self.begin_task(task, registers)
        # A call without arguments is an empty dict, and false.
        has_answer = task and task.call is not None and task.call.pc + 4 == pc
        if has_answer:
            self.answered(task.call, registers)
        is_call = task and pc in task.program.sites | task.program.odd_sites
        self.count(task, count - self.added, is_call)
        if is_call:
            self.called(Call(self.model.tick(), task, pc, registers[A7], registers[A0:A6]))
        now = self.go_on(pc, count)
        if (has_begun or has_answer) and not is_call:
            task.since, task.others = now, []

    def go_on(self, pc, count):
        """Leaves this place. -> the count of instructions, without what stops have added: QEMU adds
        the time of a stop when the guest goes on, which is with this step."""
        is_ours = pc in self.fixed or self.passing[pc]
        if is_ours:
            self.stub.take(pc)
        self.stub.resume("s")
        now = self.stub.csr(INSTRUCTIONS)
        self.added += now - count - 1
        if is_ours:
            self.stub.put(pc)
        return now - self.added

    def count(self, task, now, is_call):
        """Adds what a task did in user mode since it got there, without what others did between
        stops of theirs that are close together: in a longer gap the task itself ran."""
        if is_call and task.since is not None:
            gaps = [late - early for early, late in zip(task.others, task.others[1:])]
            others = sum(gap for gap in gaps if gap < GAP_INSTRUCTIONS)
            task.user, task.since = task.user + now - task.since - others, None
        for other in self.spaces.values():
            if other is not task and other.since is not None:
                other.others.append(now)

    def enter(self, satp):
        """-> the task whose address space this is, or None"""
        new = [task for task in self.model.tasks.values() if task.satp is None]
        if not new or sv39.root_of(satp) is None:
            self.model.fault("an address space ran a program that nobody executed")
            return None
        self.spaces[sv39.root_of(satp)], new[0].satp = new[0], satp
        return new[0]

    def begin_task(self, task, registers):
        """At a task's first instruction: it has what its file has, and nothing else."""
        is_init = task.pid == facts.PRODUCER_PID
        task.program = program = self.programs[0 if is_init else 1]
        if registers[PC] != program.entry:
            self.model.fault(f"pid {task.pid} did not begin at its entry {program.entry:#x}")
        if any(registers[number] for number in range(1, PC) if number not in (SP, GP)):
            self.model.fault(f"pid {task.pid} began with values in its registers")
        pages = self.model.check_pages(task, program, True)
        if is_init:
            task.image = {"bytes": len(program.elf), "stack_pages": pages, "gp": registers[GP],
                          "sip": content_hash(self.nonce, program.elf)}

    def called(self, call):
        task = call.task
        if task.call is not None:
            self.model.fault(f"{task.call.name} of pid {task.pid} was never answered")
            self.let_pass(task.call, -1)
        # Tasks that wait for each other by a stream only yield, too, but in turns.
        is_idle = call.name == YIELD and task.pid == facts.PRODUCER_PID
        self.idle = self.idle + 1 if is_idle else 0
        if is_idle:
            self.model.init_status = call.first
        if call.pc in task.program.odd_sites:
            self.model.fault(f"pid {task.pid} ran an ecall at {call.pc:#x}, none of its text")
        self.model.run("before", call)
        task.call = None
        if call.name == EXIT:
            self.model.check_pages(task, task.program, False)
            del self.spaces[sv39.root_of(task.satp)]
        elif self.wants_answer(call):
            task.call = call
            self.let_pass(call, 1)

    def wants_answer(self, call):
        """Whether the answer is worth a stop: not to a character in a line, and to a poll only in a
        task that got a VMO and has not replied: its instructions are counted meanwhile."""
        if call.name in POLLS:
            return bool(call.task.pending)
        return call.name != PUTC or call.first == NEWLINE

    def let_pass(self, call, step):
        """Puts a breakpoint behind an ecall, or takes it away when no task waits there."""
        address = call.pc + 4
        before, self.passing[address] = self.passing[address], self.passing[address] + step
        if address not in self.fixed and 0 in (before, self.passing[address]):
            (self.stub.put if step > 0 else self.stub.take)(address)

    def answered(self, call, registers):
        call.task.call, call.answer, call.second = None, registers[A0], registers[A1]
        self.let_pass(call, -1)
        self.model.run("refused" if call.answer >> 63 else "after", call)
