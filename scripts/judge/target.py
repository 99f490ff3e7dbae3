# SPDX-License-Identifier: Apache-2.0
"""Which kernel is booted, and how: ours, another that takes its init from -initrd, or one with the init built in."""
import dataclasses
import pathlib

from judge import prepare
from judge.prepare import ConfigError

PRODUCER, CONSUMER, CHALLENGE = "producer.elf", "consumer.elf", "challenge"
# How our kernel begins a line of its audit: a file that holds these bytes is a kernel that owes us its audit.
AUDIT_WORD = b"audit \0"
ELF_MAGIC = b"\x7fELF"
ELF_RV64 = (b"\x02", b"\xf3\x00")  # class 64, machine RISC-V
KERNEL_LIMIT_BYTES = 256 * 1024 * 1024


@dataclasses.dataclass
class Target:
    """The kernel that was asked for."""

    kernel: pathlib.Path
    audits: bool  # it prints an audit and ends QEMU, as ours does
    prepared: object  # folder of the prepared proof that is built into it, or None

    def is_foreign(self):
        return not self.audits or self.prepared is not None


def ours():
    return Target(prepare.build_folder() / "kernel" / "kernel.elf", True, None)


def default_folder():
    """Where `make proof-elf` puts what it prepares."""
    return prepare.build_folder() / "neuron"


def read_kernel(name):
    path = pathlib.Path(name)
    if not path.is_file():
        raise ConfigError(f"the kernel {name} {'is no file' if path.exists() else 'is missing'}")
    if not 0 < path.stat().st_size <= KERNEL_LIMIT_BYTES:
        raise ConfigError(f"the kernel {name} has {path.stat().st_size} bytes")
    return path.absolute(), path.read_bytes()


def prepared_init(folder):
    """The init ELF that was prepared in a folder."""
    folder = pathlib.Path(folder)
    for name in (PRODUCER, CONSUMER, f"{CHALLENGE}/digest"):
        if not (folder / name).is_file():
            raise ConfigError(f"{prepare.shown(folder)} is no prepared proof: {name} is missing; run make proof-elf")
    return (folder / PRODUCER).read_bytes()


def is_prepared(folder):
    try:
        return bool(prepared_init(folder))
    except ConfigError:
        return False


def find_built_in(image):
    """The folder whose init stands in the kernel's file: that of `make proof-elf`, or of any run that is still there."""
    folders = [default_folder(), *sorted((prepare.build_folder() / "runs").glob("*"))]
    return next((folder for folder in folders if is_prepared(folder) and prepared_init(folder) in image), None)


def is_kernel(image):
    """A RISC-V ELF. QEMU starts anything else at its first byte, so that alone would make a kernel of any file."""
    return image.startswith(ELF_MAGIC) and (image[4:5], image[18:20]) == ELF_RV64


def choose(kernel, run):
    """kernel: the file of --kernel, run: the folder of --run; None where not given."""
    if kernel is None:
        if run is not None:
            raise ConfigError("--run names what is built into a kernel; say which by --kernel")
        return ours()
    path, image = read_kernel(kernel)
    folder = find_built_in(image) if run is None else pathlib.Path(run)
    built_in = folder is not None and prepared_init(folder) in image
    if not built_in and not is_kernel(image):
        raise ConfigError(f"the kernel {kernel} is no RISC-V ELF file, and no prepared init is built into it")
    return Target(path, AUDIT_WORD in image, None if folder is None else folder.absolute())
