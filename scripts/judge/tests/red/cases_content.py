# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail because of the bytes that the kernel hashed or the work that it counted."""
from fixture import NONCE, PAYLOAD, content_hash, noise
from case_table import case


def hash_of(run, number, when):
    last = "destroyed" if run.abi_rev == "a2" else "end"
    when = last if when == "end" else when
    return next(r for r in run.audit["hash"] if (r["vmo"], r["when"]) == (number, when))


# ---- Content and images --------------------------------------------------------------------------
@case("digests in the slack of the blob's last page", "content")
def _(run):
    for when in ("grant", "reply", "end"):
        hash_of(run, 1, when)["sip"] = content_hash(NONCE, run.blob + run.digest + run.page_digest)


@case("blob changed after the grant", "content")
def _(run):
    hash_of(run, 1, "reply")["sip"] = content_hash(NONCE, run.blob[:-1])


@case("blob changed after the reply", "content")
def _(run):
    hash_of(run, 1, "end")["sip"] = "0" * 16


@case("the page has other content", "content")
def _(run):
    hash_of(run, 2, "grant")["sip"] = content_hash(NONCE, run.page[:-1])


@case("blob hashed with fewer pages", "audit-complete")
def _(run):
    hash_of(run, 1, "grant")["bytes"] -= 4096


@case("no hash at the reply", "content")
def _(run):
    run.audit["hash"].remove(hash_of(run, 2, "reply"))


@case("no hashes at all", "content", "image")
def _(run):
    run.audit["begin"][0]["hashes"] = 0
    run.audit["hash"] = []


@case("image with one byte patched", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["sip"] = content_hash(NONCE, run.consumer[:99] + b"!" + run.consumer[100:])


@case("image with zeros appended", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["bytes"] += 1


@case("no image of the consumer", "image")
def _(run):
    run.fill_images()
    run.audit["image"].pop()


@case("an image of a third task", "image")
def _(run):
    run.fill_images()
    run.audit["image"].append(dict(run.audit["image"][1], pid=19))


@case("covert data in gp", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["gp"] = "0x" + run.digest[:8].hex()


@case("covert data in the stack's size", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["stack_pages"] = 5


# ---- Work ------------------------------------------------------------------------------------------
def worked(run, permille):
    run.remake(payload=noise("work", 1024) * 64)
    run.audit["msg"][1]["user"] += run.work * permille // 1000


@case("consumer hashed nothing", "work")
def _(run):
    worked(run, -990)


@case("consumer copied its view and hashed the copy", "work")
def _(run):
    worked(run, 4)


@case("consumer did a little less", "work")
def _(run):
    worked(run, -3)


assert len(PAYLOAD) < 64 * 1024  # only the cases of `work` are large
