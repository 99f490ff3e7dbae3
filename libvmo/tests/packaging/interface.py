# SPDX-License-Identifier: Apache-2.0
"""Reads libvmo's public interface from the headers, the symbol map and the manual."""
import re

PROTOTYPE = re.compile(r"(?:VMO_CHECK\s+)?((?:const\s+)?\w+\s*\*?)\s*\b(vmo_\w+)\(([^()]*)\);")

# A comment with the prototypes that follow it; and a word that may be a status without VMO_ERR_.
ERRORS = re.compile(r"/\*((?:(?!\*/).)*)\*/\s*((?:VMO_CHECK [^;{}#/]*;\s*)+)", re.S)
STATUS = re.compile(r"(?<!_)\b[A-Z][A-Z_]*[A-Z]\b")


def words(text):
    """Normalises blanks: single, and none next to a star or bracket. So layout does not matter."""
    return re.sub(r"\s*([*\[\]])\s*", r"\1", " ".join(text.split()))


def header_prototypes(header):
    """-> {function: (type, [parameters])} of one header."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S).replace("\\\n", " ")
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {
        name: (words(result), [words(p) for p in parameters.split(",")])
        for result, name, parameters in PROTOTYPE.findall(text)
    }


def header_errors(header):
    """-> {function: statuses that the comment above it lists after "Errors"} of one header."""
    errors = {}
    for comment, calls in ERRORS.findall(header.read_text()):
        listed = {f"VMO_ERR_{name}" for name in STATUS.findall(comment.partition("Errors")[2])}
        errors |= {name: listed for _, name, _ in PROTOTYPE.findall(calls)}
    return errors


def abi_lines(headers):
    """-> a line for each part of the ABI: functions, values of enumerators, members of structs."""
    lines = []
    for header in headers:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        lines += [
            f"{result} {name}({', '.join(parameters)})"
            for name, (result, parameters) in header_prototypes(header).items()
        ]
        lines += [
            f"{name} = {value}" for name, value in re.findall(r"^ +(VMO_\w+) = (\d+)", text, re.M)
        ]
        for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.M | re.S):
            lines.append(f"struct {name} {{ {words(body)} }}")
        for body, name in re.findall(r"^typedef struct \{(.*?)^\} (\w+);", text, re.M | re.S):
            lines.append(f"{name} {{ {words(body)} }}")
    return sorted(lines)


def map_symbols(path):
    """-> the symbols that the linker's version script exports."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    exported = re.search(r"global:(.*?)local:", text, re.S).group(1)
    return [name.strip() for name in exported.split(";") if name.strip()]


class Page:
    """A parsed manual page: names, headers, prototypes, errors, cross-references."""

    def __init__(self, path):
        self.path = path
        text = path.read_text()
        head, _, rest = text.partition(".Sh SYNOPSIS\n")
        synopsis, _, self.body = rest.partition("\n.Sh ")
        self.names = re.findall(r"^\.Nm (\w+)", head, re.M)
        self.includes = re.findall(r"^\.In (\S+)", synopsis, re.M)
        blocks = re.findall(r"^\.Ft (.*)\n\.Fo (\w+)\n((?:\.Fa .*\n)*)\.Fc", synopsis, re.M)
        self.prototypes = [
            (
                name,
                words(result.strip('"')),
                [words(p.strip('"')) for p in re.findall(r"^\.Fa (.*)$", parameters, re.M)],
            )
            for result, name, parameters in blocks
        ]
        self.errors = set(re.findall(r"\b(VMO_ERR_[A-Z_]+)", text))
        self.references = re.findall(r"^\.Xr (\w+) ([0-9])", text, re.M)
