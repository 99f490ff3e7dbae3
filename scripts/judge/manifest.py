# SPDX-License-Identifier: Apache-2.0
"""A manifest says what a run must show. A broken one is the harness's own fault, never a pass."""
import json
import pathlib
import re

from judge import exit_codes

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "qemu" / "manifests"
KEYS = {"name", "about", "markers", "consumer_markers", "last_marker", "exit_code", "hazards", "kernel_lines", "may_skip"}
COMMENT_KEYS = {"SPDX-License-Identifier"}
QEMU, LINUX, FOREIGN = "qemu", "linux", "foreign"
PLATFORM_KEY = "platform"  # on what it is judged; QEMU where it says nothing


class ManifestError(Exception):
    """The manifest cannot be judged by."""


def known_names():
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def names_for(platform):
    return [name for name in known_names() if load(name).get(PLATFORM_KEY, QEMU) == platform]


def load(name):
    try:
        return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ManifestError(f"{name}.json is not JSON: {error}") from error


def is_text_list(value):
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def exit_code_faults(manifest):
    code, platform = manifest["exit_code"], manifest.get(PLATFORM_KEY, QEMU)
    if platform not in (QEMU, LINUX, FOREIGN):
        return [f"'{PLATFORM_KEY}' is none of {QEMU}, {LINUX}, {FOREIGN}"]
    if platform == LINUX and (not isinstance(code, int) or isinstance(code, bool) or code != 0):
        return ["'exit_code' is not 0, with which a process says that all was well"]
    if platform != LINUX and not (isinstance(code, str) and code in exit_codes.load()):
        return [f"'exit_code' is no outcome that only the guest can give ({', '.join(exit_codes.load())})"]
    return []


def faults(manifest, check_names):
    """Everything that is wrong with a manifest; an empty list when it is sane."""
    if not isinstance(manifest, dict) or not manifest:
        return ["it is empty"]
    found = [f"key '{key}' is missing" for key in sorted(KEYS - manifest.keys())]
    found += [f"key '{key}' is unknown" for key in sorted(manifest.keys() - KEYS - COMMENT_KEYS - {PLATFORM_KEY})]
    if found:
        return found
    for key in ("markers", "consumer_markers", "hazards", "kernel_lines", "may_skip"):
        if not is_text_list(manifest[key]):
            found.append(f"'{key}' is not a list of strings")
    if found:
        return found
    markers = manifest["markers"] + [manifest["last_marker"]]
    if not manifest["markers"] or not isinstance(manifest["last_marker"], str) or not manifest["last_marker"]:
        found.append("no marker is expected")
    elif len(set(markers)) != len(markers):
        found.append("a marker is expected twice")
    found += [f"'{marker}' in consumer_markers is no marker" for marker in manifest["consumer_markers"]
              if marker not in manifest["markers"]]
    found += exit_code_faults(manifest)
    found += [f"'{name}' in may_skip is no check" for name in manifest["may_skip"] if name not in check_names]
    for pattern in manifest["kernel_lines"]:
        try:
            re.compile(pattern)
        except re.error as error:
            found.append(f"kernel_lines: '{pattern}': {error}")
    return found
