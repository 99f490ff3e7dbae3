# SPDX-License-Identifier: Apache-2.0
"""Finds the commands, C fragments and links of the documents and the manual."""
import dataclasses
import pathlib
import re

# A line of a code block is a command if it begins with one of these, after assignments.
WORDS = ("apt", "apt-get", "bash", "cargo", "cc", "cd", "cmake", "dpkg", "gcc", "git", "host-ref",
         "make", "man", "pkg-config", "python3", "qemu-system-riscv64", "riscv64-unknown-elf-gcc",
         "sh", "sudo", "time", "vmo")
FOLDERS = ("./", ".ci/", "boot/", "build/", "libvmo/", "scripts/", "tests/")
ASSIGNMENTS = re.compile(r"(?:[A-Z_]+=(?:'[^']*'|\"[^\"]*\"|\S*)\s+)*")
COMMENT = re.compile(r"\s+#\s.*$")
FENCE = re.compile(r"^ *```(\w*)$")
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# Within a sentence, a command has an argument: `scripts/lint.sh` alone names the file.
INLINE = re.compile(r"(?:cc|make|sh|python3|time) [\w./$(-]"
                    r"|(?:\.ci|boot|build|scripts|tests)/\S+ .")
COLUMNS = re.compile(r"\S {3,}\S")  # a picture or a table, not a command
LINK = re.compile(r"\]\(([^()]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
ESCAPES = (("\\e", "\\"), ("\\-", "-"), ("\\&", ""), ("\\(aq", "'"), ("\\(dq", '"'))


@dataclasses.dataclass
class Found:
    commands: list  # of text
    fragments: list  # of C text


def first_word(line):
    return (line[ASSIGNMENTS.match(line).end():].split() or [""])[0]


def is_command(line):
    word = first_word(line)
    return not COLUMNS.search(line) and (word in WORDS or word.startswith(FOLDERS))


def lines_joined(lines):
    """Joins lines that end with a backslash."""
    text = ""
    for line in lines:
        text += line.strip()
        if not text.endswith("\\"):
            yield text
            text = ""
        else:
            text = text[:-1].rstrip() + " "


def commands_of(lines):
    lines = (COMMENT.sub("", line) for line in lines_joined(lines))
    return [line for line in lines if is_command(line)]


def markdown(text):
    """The commands of code blocks and of sentences, and the fenced blocks of C."""
    found, blocks, prose = Found([], []), [], []
    fence, blank, inside = None, True, False
    for line in text.splitlines():
        match = FENCE.match(line)
        if match:
            fence = None if fence is not None else match[1]
            blocks.append((fence or "", [])) if fence is not None else None
        elif fence is not None:
            blocks[-1][1].append(line)
        elif line.startswith("    ") and (blank or inside):
            if not inside:
                blocks.append(("", []))
            blocks[-1][1].append(line)
            inside = True
        else:
            inside = inside and not line.strip()
            prose.append(line)
        blank = not line.strip()
    for language, lines in blocks:
        if language == "c":
            found.fragments.append("\n".join(lines) + "\n")
        else:
            found.commands += commands_of(lines)
    spans = (" ".join(span.split()) for span in SPAN.findall("\n".join(prose)))
    found.commands += [span for span in spans if INLINE.match(span)]
    return found


def manual(text, section):
    """The examples of a page, commands in section 1, C elsewhere; and a SYNOPSIS's compiler."""
    found, literal, heading = Found([], []), None, ""
    for line in text.splitlines():
        for escape, plain in ESCAPES:
            line = line.replace(escape, plain)
        if line.startswith(".Sh "):
            heading = line[4:]
        elif line.startswith(".Bd ") and heading == "EXAMPLES":
            literal = []
        elif line == ".Ed" and literal is not None:
            if section == "1":
                found.commands += commands_of(literal)
            else:
                found.fragments.append("\n".join(literal) + "\n")
            literal = None
        elif literal is not None:
            literal.append(line)
        elif line.startswith((".Dl ", ".Fd ")):
            found.commands += commands_of([line[4:]])
    return found


def document(path):
    text = path.read_text(encoding="utf-8")
    return markdown(text) if path.suffix == ".md" else manual(text, path.suffix[1:])


def anchors(path):
    """The names that a forge gives the headings of a document."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in HEADING.findall(path.read_text(encoding="utf-8"))}


def broken_links(path):
    """Links to files of the tree, or to headings in them, that do not exist."""
    broken = []
    text = re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        link = re.sub(r"\s", "", link)
        name, _, heading = link.partition("#")
        target = (path.parent / name) if name else path
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists():
            broken.append(link)
        elif heading and heading not in anchors(target):
            broken.append(link)
    return broken


def documents(root, tracked):
    """The tree's Markdown files and manual pages."""
    paths = (pathlib.Path(root) / name for name in tracked)
    return sorted(path for path in paths if path.is_file() and
                  (path.suffix == ".md" or path.parent.name == "man" and path.suffix[1:].isdigit()))
