#!/usr/bin/env python3
"""Verify an export of the Controlplane ledger, offline, with nothing but Python 3.11 or newer.

    python3 -I -S verify_ledger.py BUNDLE [--pinned NOTE] [--public-key VKEY] [--consistency FILE] [--json]

BUNDLE is an evidence bundle (zip) or a JSON Lines export. --pinned is a checkpoint you kept
earlier (a file): only that finds a ledger whose end was cut off together with its newest
checkpoint. --public-key is the log's verifier key as you know it from elsewhere.

What is checked: every event's hash, its place in the signed tree, every checkpoint's root and
signature, that checkpoints only grow, the export's own manifest, what was redacted, and what the
events mean: nothing went live in a protected environment without a quorum of different people
who approved exactly those bytes, none of whom had a hand in them.

Exit codes: 0 intact, 1 tampered, 2 unreadable or not proven, 3 intact with an unsealed tail.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import io
import json
import sys
import zipfile

INTACT, TAMPERED, UNREADABLE, UNSEALED_TAIL = 0, 1, 2, 3
DASH = "\u2014"
MOST_FINDINGS = 20

# --- Ed25519 (RFC 8032), for machines without the cryptography package ---------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return P - x if (x & 1) != sign else x


def _add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _point(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def ed25519_in_python(public, message, signature):
    """Whether the signature is by the holder of this key."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, point = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or point is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _times(scalar, BASE), _add(point, _times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % P == 0


try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    def ed25519(public, message, signature):
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    SIGNATURES_BY = "cryptography"
except ImportError:
    ed25519 = ed25519_in_python
    SIGNATURES_BY = "pure Python"

# --- The Merkle tree (RFC 6962) --------------------------------------------------------------


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The root of a growing tree."""

    def __init__(self):
        self.size, self.hashes = 0, []

    def append(self, leaf):
        self.hashes.append(leaf)
        complete = self.size
        while complete & 1:
            right = self.hashes.pop()
            self.hashes[-1] = node_hash(self.hashes[-1], right)
            complete >>= 1
        self.size += 1

    def root(self):
        if not self.hashes:
            return hashlib.sha256(b"").digest()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def root_from_inclusion(leaf, index, size, path):
    """The root that this audit path leads to (RFC 9162, 2.1.3.2), or None if it cannot be one."""
    if not 0 <= index < size:
        return None
    number, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if number & 1 or number == last:
            found = node_hash(step, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, step)
        number, last = number >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(first_size, first_root, second_size, second_root, path):
    """Whether the earlier tree is a prefix of the later one (RFC 9162, 2.1.4.2)."""
    if first_size == second_size:
        return not path and first_root == second_root
    if not 0 < first_size < second_size or not path:
        return False
    steps = list(path)
    if first_size & (first_size - 1) == 0:
        steps.insert(0, first_root)
    number, last = first_size - 1, second_size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, step)
        number, last = number >> 1, last >> 1
    return last == 0 and first == first_root and second == second_root


# --- Signed notes (C2SP) ---------------------------------------------------------------------


class Unreadable(Exception):
    """The input is not what this program reads."""


class Note:
    """A checkpoint: what it says and by whom it is signed."""

    def __init__(self, text):
        body, gap, lines = text.partition("\n\n")
        parts = body.split("\n")
        if not gap or len(parts) < 3:
            raise Unreadable("a checkpoint is not a signed note")
        self.signed, self.origin = (body + "\n").encode(), parts[0]
        try:
            self.size, self.root = int(parts[1]), base64.b64decode(parts[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise Unreadable(f"a checkpoint cannot be read: {error}") from error
        self.time = next((line[5:] for line in parts[3:] if line.startswith("time ")), "")
        self.signatures = []
        for line in lines.splitlines():
            dash, _, rest = line.partition(" ")
            name, _, value = rest.rpartition(" ")
            if dash == DASH:
                try:
                    self.signatures.append((name, base64.b64decode(value, validate=True)))
                except binascii.Error:
                    continue

    def is_signed_by_one_of(self, keys):
        for name, signature in self.signatures:
            for key_name, identifier, public in keys:
                if (name, signature[:4]) == (key_name, identifier) and ed25519(
                    public, self.signed, signature[4:]
                ):
                    return True
        return False


def read_key(vkey):
    """``name+id+base64`` as (name, id, public key)."""
    try:
        name, identifier, encoded = vkey.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        identifier = bytes.fromhex(identifier)
    except (ValueError, binascii.Error) as error:
        raise Unreadable(f"a public key cannot be read: {error}") from error
    if raw[:1] != b"\x01" or hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4] != identifier:
        raise Unreadable("a public key does not have the identifier it names")
    return name, identifier, raw[1:]


def split_notes(text):
    """Notes one after another: each ends with its signature lines and an empty line."""
    notes, lines, seen_signature = [], [], False
    for line in text.splitlines():
        if seen_signature and not line.startswith(DASH):
            notes.append("\n".join(lines).strip("\n") + "\n")
            lines, seen_signature = [], False
        seen_signature = seen_signature or line.startswith(DASH)
        if line or lines:
            lines.append(line)
    if seen_signature:
        notes.append("\n".join(lines).strip("\n") + "\n")
    return [Note(note) for note in notes]


# --- What an export holds ----------------------------------------------------------------------


class Export:
    """Events with their proofs, whichever file they came in."""

    def __init__(self, path):
        self.manifest, self.notes, self.keys = {}, [], []
        self.archive = None
        try:
            if zipfile.is_zipfile(path):
                self.archive = zipfile.ZipFile(path)
                self._open_bundle()
            else:
                self.path = path
                self._open_lines()
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise Unreadable(f"{path} cannot be read: {error}") from error

    def _open_bundle(self):
        self.manifest = json.loads(self.archive.read("manifest.json"))
        self.notes = split_notes(self.archive.read("checkpoints.txt").decode())
        self.public_keys = json.loads(self.archive.read("public-keys.json"))
        self.keys = [read_key(each) for each in self.public_keys["ledger"]]

    def _open_lines(self):
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                if line.startswith('{"checkpoint"'):
                    last = json.loads(line)
                    self.manifest = {
                        "selection": last.get("selection", {}),
                        "is_complete": last.get("is_complete", False),
                    }
                    self.notes = [Note(each) for each in last["checkpoints"]]
                    self.keys = [read_key(each) for each in last["public_keys"]]

    def events(self):
        """Each line of events, parsed."""
        if self.archive:
            file = io.TextIOWrapper(self.archive.open("events.jsonl"), encoding="utf-8", newline="\n")
        else:
            file = open(self.path, encoding="utf-8", newline="\n")  # noqa: SIM115
        with file:
            for number, line in enumerate(file, 1):
                if line.startswith('{"checkpoint"'):
                    continue
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise Unreadable(f"line {number} of the events is not JSON: {error}") from error

    def paths(self):
        """Inclusion proofs by the event's place."""
        proofs = {}
        if self.archive:
            for name in self.archive.namelist():
                if name.startswith("proofs/") and name.endswith(".json"):
                    proof = json.loads(self.archive.read(name))
                    proofs[proof["seq"]] = [bytes.fromhex(step) for step in proof["path"]]
        return proofs

    def personal(self):
        if not self.archive or "personal.jsonl" not in self.archive.namelist():
            return {}
        lines = self.archive.read("personal.jsonl").decode().splitlines()
        return {each["c"]: each for each in map(json.loads, lines)}


# --- The checks ------------------------------------------------------------------------------------


class Verdict:
    def __init__(self):
        self.findings, self.notices = [], []
        self.events = self.redacted = self.disclosed = self.unsealed = self.tree_size = self.judged = 0
        self.unproven = 0

    def finding(self, text, seq=None):
        self.findings.append({"seq": seq, "finding": text} if seq is not None else {"finding": text})

    @property
    def code(self):
        if self.findings:
            return TAMPERED
        if self.unproven:
            return UNREADABLE
        return UNSEALED_TAIL if self.unsealed else INTACT

    @property
    def words(self):
        return "not proven" if self.unproven and not self.findings else WORDS[self.code]


def verify(path, pinned=None, public_key=None, consistency=None):
    """Everything about one export; raises Unreadable."""
    export, verdict = Export(path), Verdict()
    keys = [read_key(public_key)] if public_key else export.keys
    if not export.notes:
        raise Unreadable("the export holds no checkpoint")
    if not public_key:
        verdict.notices.append("The public key came with the export: compare it with the one you know.")
    _check_manifest(export, verdict)
    _check_notes(export, keys, verdict)
    final = export.notes[-1]
    verdict.tree_size = final.size
    pin = Note(pinned) if pinned else None
    meaning = Meaning(verdict, bool(export.manifest.get("is_complete")))
    roots = _check_events(export, verdict, meaning, {pin.size} if pin else set())
    if export.archive and export.public_keys["export"] not in meaning.export_keys:
        verdict.notices.append("The ledger, as far as it is in this export, does not name the export's key.")
    if pin:
        _check_pin(pin, final, roots, export, keys, consistency, verdict)
    else:
        verdict.notices.append(
            "No checkpoint was pinned: a ledger cut off together with its newest checkpoint looks whole."
        )
    return verdict


def _check_manifest(export, verdict):
    if not export.archive:
        return
    raw = export.archive.read("manifest.json")
    for name, digest in export.manifest.get("files", {}).items():
        try:
            with export.archive.open(name) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except KeyError:
            verdict.finding(f"{name} is named in the manifest and missing.")
            continue
        except zipfile.BadZipFile as error:
            raise Unreadable(str(error)) from error
        if found != digest:
            verdict.finding(f"{name} is not the file the manifest names.")
    extra = (
        set(export.archive.namelist())
        - set(export.manifest.get("files", {}))
        - {"manifest.json", "manifest.sig"}
    )
    for name in sorted(extra):
        verdict.finding(f"{name} is not named in the manifest.")
    _, _, public = read_key(export.public_keys["export"])
    try:
        signature = base64.b64decode(export.archive.read("manifest.sig"), validate=True)
    except (KeyError, binascii.Error):
        signature = b""
    if not ed25519(public, raw, signature):
        verdict.finding("The manifest is not signed by the export key.")


def _check_notes(export, keys, verdict):
    before = None
    for note in export.notes:
        if not note.is_signed_by_one_of(keys):
            verdict.finding(f"The checkpoint of size {note.size} is not signed by the ledger's key.")
        if before and (note.size < before.size or note.time < before.time or note.origin != before.origin):
            verdict.finding(f"The checkpoint of size {note.size} does not follow that of size {before.size}.")
        before = note


def _check_events(export, verdict, meaning, wanted):
    """Hash, place and meaning of every event; the roots at the ``wanted`` sizes."""
    tree, roots = CompactRange(), {0: hashlib.sha256(b"").digest()}
    whole = bool(export.manifest.get("is_complete"))
    by_size = {note.size: note for note in export.notes}
    final, paths, personal = export.notes[-1], None if whole else export.paths(), export.personal()
    last_seq = -1
    for event in export.events():
        try:
            seq, body = event["seq"], json.loads(event["body"])
            leaf = _leaf(event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            verdict.finding(f"An event is incomplete: {error!r}.")
            continue
        if seq is None or seq >= final.size:
            verdict.unsealed += 1
            meaning.read(body, seq)
            continue
        if leaf.hex() != event.get("leaf"):
            verdict.finding("The event does not have the hash that was sealed: it was altered.", seq)
        if seq <= last_seq:
            verdict.finding(f"The event follows event {last_seq}.", seq)
        verdict.events += 1
        if whole:
            if seq != tree.size:
                verdict.finding(f"Event {tree.size} is missing; event {seq} stands in its place.", tree.size)
                return roots
            tree.append(leaf)
            if tree.size in by_size and tree.root() != by_size[tree.size].root:
                verdict.finding(f"The checkpoint of size {tree.size} was signed over other events.", seq)
            if tree.size in wanted:
                roots[tree.size] = tree.root()
        elif (path := _path(event, paths)) is None and final.size > 1:
            verdict.unproven += 1
            last_seq = seq
            continue  # what nothing shows to be of this ledger says nothing of it either
        elif root_from_inclusion(leaf, seq, final.size, path or []) != final.root:
            verdict.finding("The event is not in the signed tree at this place.", seq)
        last_seq = seq
        _check_personal(body, personal, verdict, seq)
        meaning.read(body, seq)
    if verdict.unproven and (export.archive or verdict.unproven < verdict.events):
        # Only a file of lines whose writer knew no proofs has none at all.
        verdict.finding(f"{verdict.unproven} events carry no proof of their place; others do.")
    if whole and tree.size != final.size:
        verdict.finding(f"The last {final.size - tree.size} events are missing.", tree.size)
    stated = export.manifest.get("events")
    if stated is not None and stated != verdict.events:
        verdict.finding(f"The manifest counts {stated} events, the export holds {verdict.events}.")
    return roots


def _path(event, paths):
    """The event's inclusion proof: beside the events, or in its own line; None where there is none."""
    steps = event.get("path")
    if event["seq"] in paths or not isinstance(steps, list):
        return paths.get(event["seq"])
    try:
        return [bytes.fromhex(step) for step in steps]
    except (TypeError, ValueError):
        return []


def _leaf(event):
    text = f"{event['recorded_at']}\x1f{event['db_user']}\x1f{event['body']}"
    return hashlib.sha256(b"\x00" + text.encode("utf-8", "surrogatepass")).digest()


def _check_personal(body, personal, verdict, seq):
    for value in body.get("request", {}).values():
        if not isinstance(value, dict) or "c" not in value:
            continue
        known = personal.get(value["c"])
        if known is None or known.get("value") is None:
            verdict.redacted += 1
        elif hashlib.sha256(f"{known['salt']}{known['value']}".encode()).hexdigest() != value["c"]:
            verdict.finding("A personal value is not the one that was recorded.", seq)
        else:
            verdict.disclosed += 1


def _check_pin(pin, final, roots, export, keys, consistency, verdict):
    if not pin.is_signed_by_one_of(keys):
        verdict.finding("The pinned checkpoint is not signed by the ledger's key.")
    if pin.origin != final.origin:
        verdict.finding("The pinned checkpoint is of another ledger.")
    if pin.size > final.size:
        verdict.finding(
            f"The export ends at {final.size} events, before the pinned checkpoint of {pin.size}."
        )
        return
    same = {note.size: note.root for note in export.notes} | roots
    if pin.size in same:
        if same[pin.size] != pin.root:
            verdict.finding(f"The pinned checkpoint of size {pin.size} was signed over other events.")
        return
    if consistency is None:
        raise Unreadable(
            "this selection cannot be compared with the pinned checkpoint: give --consistency a proof "
            f"from {pin.size} to {final.size}, or verify a complete export"
        )
    steps = [bytes.fromhex(step) for step in consistency["path"]]
    if not is_consistent(pin.size, pin.root, final.size, final.root, steps):
        verdict.finding("The export's tree does not continue the pinned one.")


# --- What the events mean -----------------------------------------------------------------------


class Meaning:
    """Replays requests, approvals, clearances and deployments in the order they were sealed."""

    def __init__(self, verdict, is_complete):
        self.verdict, self.is_complete = verdict, is_complete
        self.requests, self.clearances, self.deployments = {}, {}, {}
        self.live_digests, self.protected = {}, set()
        self.export_keys = set()
        self.steps = {
            "audit.export_key_created": self._export_key,
            "approvals.policy_revised": self._policy,
            "approvals.policy_applied": self._policy_applied,
            "approvals.requested": self._requested,
            "approvals.revised": self._revised,
            "approvals.gates_judged": self._judged,
            "approvals.approved": self._approved,
            "approvals.approvals_voided": self._voided,
            "deployments.clearance_granted": self._cleared,
            "deployments.requested": self._deployment,
            "deployments.went_live": self._went_live,
        }

    def read(self, body, seq):
        step = self.steps.get(body.get("action"))
        if step is None or body.get("outcome") != "ok":
            return
        try:
            step(body, seq)
        except (KeyError, TypeError, AttributeError) as error:
            self.verdict.finding(f"The event {body['action']} does not say what it must: {error!r}.", seq)

    def _export_key(self, body, seq):
        self.export_keys.add(body["after"]["public"])

    def _policy(self, body, seq):
        if body["after"].get("quorum"):
            self.protected.add(body["after"]["environment"])

    def _requested(self, body, seq):
        after = body["after"]
        self.requests[body["object"]["id"]] = {
            "digest": after["digest"],
            "environment": after["environment"],
            "quorum": after["quorum"],
            "requester": after["requester"],
            "excluded": set(after["contributors"]),
            "evidence": None,
            "approvals": {},
        }

    def _revised(self, body, seq):
        if (request := self.requests.get(body["object"]["id"])) is not None:
            request["excluded"].add(body["actor"].get("person_id"))

    def _policy_applied(self, body, seq):
        if (request := self.requests.get(body["object"]["id"])) is not None:
            request["quorum"] = body["after"]["quorum"]

    def _judged(self, body, seq):
        if (request := self.requests.get(body["object"]["id"])) is not None:
            request["evidence"] = body["after"]["evidence_sha256"]

    def _approved(self, body, seq):
        request = self.requests.get(body["object"]["id"])
        person, after = body["actor"]["person_id"], body["after"]
        if body["actor"]["via"] not in ("session", "oidc"):
            self.verdict.finding("An approval was not given by a person in a browser session.", seq)
        if person == after["requester"] or person in after["contributors"]:
            self.verdict.finding("Somebody approved what they had a hand in.", seq)
        if request is None:
            if self.is_complete:
                self.verdict.finding("An approval of a request that was never made.", seq)
            return
        if person == request["requester"] or person in request["excluded"]:
            self.verdict.finding("Somebody approved what they asked for or edited.", seq)
        if after["digest"] != request["digest"]:
            self.verdict.finding("An approval is of other bytes than the request.", seq)
        if request["evidence"] and after["evidence_sha256"] != request["evidence"]:
            self.verdict.finding("An approval is of other evidence than was there.", seq)
        if person in request["approvals"]:
            self.verdict.finding("One person approved twice.", seq)
        request["approvals"][person] = {"roles": after["roles"], "evidence": after["evidence_sha256"]}

    def _voided(self, body, seq):
        if (request := self.requests.get(body["object"]["id"])) is not None:
            for person in body["after"]["people"]:
                request["approvals"].pop(person, None)

    def _cleared(self, body, seq):
        after = body["after"]
        self.clearances[body["object"]["id"]] = after
        place = (after.get("model"), after["environment"])
        if after["kind"] == "unprotected" and (
            after["environment"] in self.protected or after.get("is_protected")
        ):
            self.verdict.finding(
                f"The protected environment {after['environment']} was treated as free.", seq
            )
        if (
            after["kind"] == "rollback"
            and self.is_complete
            and after["digest"] not in self.live_digests.get(place, ())
        ):
            self.verdict.finding("A rollback to bytes that were never live there.", seq)
        if after["kind"] == "approval":
            self._judge(after, seq)

    def _judge(self, after, seq):
        request = self.requests.get(after["reference"])
        if request is None:
            if self.is_complete:
                self.verdict.finding("A clearance without the promotion request it names.", seq)
            return
        self.verdict.judged += 1
        if (after["digest"], after["environment"]) != (request["digest"], request["environment"]):
            self.verdict.finding(
                "A clearance of other bytes, or for another environment, than were approved.", seq
            )
        counting = [
            each for each in request["approvals"].values() if each["evidence"] == after["evidence_sha256"]
        ]
        if not _covers([set(each["roles"]) for each in counting], request["quorum"]):
            self.verdict.finding("A clearance without the approvals its policy asks for.", seq)

    def _deployment(self, body, seq):
        after = body["after"]
        clearance = self.clearances.get(after["clearance"])
        self.deployments[body["object"]["id"]] = (after["digest"], clearance)
        if clearance is None:
            if self.is_complete:
                self.verdict.finding("A deployment without a clearance.", seq)
        elif clearance["digest"] != after["digest"]:
            self.verdict.finding("A deployment of other bytes than were cleared.", seq)

    def _went_live(self, body, seq):
        digest, clearance = self.deployments.get(body["object"]["id"], (None, None))
        if digest is None:
            if self.is_complete:
                self.verdict.finding("Something went live that was never asked for.", seq)
            return
        if digest != body["after"]["digest"]:
            self.verdict.finding("Other bytes went live than were asked for.", seq)
        if clearance:
            self.live_digests.setdefault((clearance.get("model"), clearance["environment"]), set()).add(
                digest
            )


def _covers(people, quorum):
    """Whether different people, each with a set of roles, fill every place of the quorum."""
    places = [rule["role"] for rule in quorum for _ in range(rule["count"])]
    taken = {}

    def seat(place, seen):
        for number, roles in enumerate(people):
            if places[place] in roles and number not in seen:
                seen.add(number)
                if number not in taken or seat(taken[number], seen):
                    taken[number] = place
                    return True
        return False

    return all(seat(place, set()) for place in range(len(places)))


# --- Saying it -----------------------------------------------------------------------------------

WORDS = {
    INTACT: "intact",
    TAMPERED: "tampered",
    UNREADABLE: "unreadable",
    UNSEALED_TAIL: "intact, with an unsealed tail",
}


def as_json(verdict):
    return {
        "result": verdict.words,
        "exit_code": verdict.code,
        "events": verdict.events,
        "tree_size": verdict.tree_size,
        "unsealed": verdict.unsealed,
        "unproven": verdict.unproven,
        "redacted": verdict.redacted,
        "disclosed": verdict.disclosed,
        "clearances_judged": verdict.judged,
        "findings": verdict.findings,
        "notices": verdict.notices,
        "signatures_by": SIGNATURES_BY,
    }


def say(verdict):
    yield f"{verdict.words.capitalize()}: {verdict.events} events, tree of {verdict.tree_size}."
    for each in verdict.findings[:MOST_FINDINGS]:
        place = f"event {each['seq']}: " if "seq" in each else ""
        yield f"  {place}{each['finding']}"
    if len(verdict.findings) > MOST_FINDINGS:
        yield f"  and {len(verdict.findings) - MOST_FINDINGS} more."
    if verdict.judged:
        yield (
            f"  {verdict.judged} clearances have the approvals their policy asks for."
            if not verdict.findings
            else ""
        )
    if verdict.unproven:
        yield f"  {verdict.unproven} events carry no proof of their place: export them again, or as a bundle."
    if verdict.unsealed:
        yield f"  {verdict.unsealed} events were not sealed yet."
    if verdict.redacted:
        yield f"  {verdict.redacted} fields redacted."
    for notice in verdict.notices:
        yield f"  Note: {notice}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verify an export of the Controlplane ledger, offline.")
    parser.add_argument("bundle", help="evidence bundle (zip) or JSON Lines export")
    parser.add_argument("--pinned", metavar="NOTE", help="file with a checkpoint kept earlier")
    parser.add_argument(
        "--public-key", metavar="VKEY", help="the log's verifier key, as known from elsewhere"
    )
    parser.add_argument(
        "--consistency", metavar="FILE", help="JSON proof from the pinned to the export's tree"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    options = parser.parse_args(arguments)
    try:
        pinned = consistency = None
        if options.pinned:
            with open(options.pinned, encoding="utf-8") as file:
                pinned = file.read()
        if options.consistency:
            with open(options.consistency, encoding="utf-8") as file:
                consistency = json.load(file)
        verdict = verify(options.bundle, pinned, options.public_key, consistency)
    except (Unreadable, OSError, ValueError, KeyError, TypeError) as error:
        answer = {"result": WORDS[UNREADABLE], "exit_code": UNREADABLE, "findings": [{"finding": str(error)}]}
        print(json.dumps(answer) if options.json else f"Unreadable: {error}")
        return UNREADABLE
    if options.json:
        print(json.dumps(as_json(verdict), indent=2))
    else:
        print("\n".join(line for line in say(verdict) if line))
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
