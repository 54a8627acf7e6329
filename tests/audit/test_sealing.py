"""Every committed event gets one place, in one signed tree."""

import threading

import pymerkle
import pytest
from django.db import connections, transaction

from audit import notes
from audit.keys import load_or_create
from audit.merkle import CompactRange, Tree
from audit.models import Checkpoint, Event, Seal, SigningKey, unsealed
from audit.sealer import CannotSeal, Sealer
from audit.services import record
from audit.tree import chain_state, inclusion_proof, is_sealed
from core.actors import Actor
from core.errors import Unavailable
from tools import verify_ledger

pytestmark = pytest.mark.django_db(transaction=True)


def test_events_are_sealed_once_without_gaps(happen, sealer):
    keys = happen(5)
    assert sealer.seal() == 5
    keys += happen(3)
    assert sealer.seal() == 3
    assert sealer.seal() == 0
    assert list(Seal.objects.order_by("seq").values_list("seq", flat=True)) == list(range(8))
    assert Seal.objects.values("event_id").distinct().count() == Event.objects.count() == 8
    assert list(Checkpoint.objects.order_by("tree_size").values_list("tree_size", flat=True)) == [5, 8]
    assert all(is_sealed(key) for key in keys)
    assert unsealed() == (0, None)


def test_a_transaction_that_commits_late_is_sealed_too(happen, sealer):
    began, finish = threading.Event(), threading.Event()

    def late():
        with transaction.atomic():
            record(actor=Actor.system(), action="tests.late")
            began.set()
            finish.wait(10)
        connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    began.wait(10)
    happen(2)
    assert sealer.seal() == 2
    finish.set()
    thread.join()
    assert sealer.seal() == 1
    late_event = Event.objects.acting("tests.late").get()
    assert Seal.objects.get(event_id=late_event.pk).seq == 2
    assert late_event.pk == min(Event.objects.values_list("pk", flat=True))


def test_eight_writers_and_two_sealers_make_one_gapless_tree(sealer, connect, ledger_key):
    other = Sealer(connect("cp_sealer"), ledger_key)

    def write():
        for _ in range(20):
            with transaction.atomic():
                record(actor=Actor.system(), action="tests.happened")
        connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sealer.seal()
        other.seal()
    while sealer.seal() or other.seal():
        pass
    assert list(Seal.objects.order_by("seq").values_list("seq", flat=True)) == list(range(160))
    last = Checkpoint.objects.order_by("-tree_size").first()
    leaves = [bytes(leaf) for leaf in Seal.objects.order_by("seq").values_list("leaf", flat=True)]
    assert CompactRange(leaves).root() == bytes(last.root)


def test_only_one_sealer_works_at_a_time(happen, sealer, connect, ledger_key):
    happen()
    with sealer.connection.transaction():
        sealer.connection.execute("SELECT pg_advisory_xact_lock(%s)", [0x5EA1_1ED6E5])
        assert Sealer(connect("cp_sealer"), ledger_key).seal() is None
    assert sealer.seal() == 1


def test_a_checkpoint_is_signed_and_says_when(happen, sealer):
    happen(3)
    sealer.seal()
    checkpoint, key = Checkpoint.objects.get(), SigningKey.objects.get()
    assert notes.is_signed_by(checkpoint.note, key.vkey)
    said = notes.read(checkpoint.note)
    assert (said.size, said.root) == (3, bytes(checkpoint.root))
    assert said.origin == key.vkey.split("+")[0]
    forged = checkpoint.note.replace("\n3\n", "\n4\n")
    assert not notes.is_signed_by(forged, key.vkey)
    assert verify_ledger.Note(checkpoint.note).is_signed_by_one_of([verify_ledger.read_key(key.vkey)])


def test_a_restarted_sealer_goes_on_where_the_tree_ended(happen, sealer, connect, ledger_key):
    happen(3)
    sealer.seal()
    happen(2)
    again = Sealer(connect("cp_sealer"), ledger_key)
    assert again.seal() == 2
    assert again.origin == sealer.origin


def test_the_sealer_refuses_a_ledger_that_was_altered(happen, sealer, connect, ledger_key):
    happen(3)
    superuser = connect("superuser")
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        superuser.execute("UPDATE audit.event SET body = replace(body, '\"number\":1', '\"number\":7')")
    with pytest.raises(CannotSeal, match="altered"):
        sealer.seal()
    assert not Seal.objects.exists()


def test_the_sealer_refuses_seals_without_their_checkpoint(happen, sealer, connect, ledger_key):
    happen(3)
    sealer.seal()
    superuser = connect("superuser")
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        superuser.execute("DELETE FROM audit.seal WHERE seq = 1")
    with pytest.raises(CannotSeal, match="missing"):
        Sealer(connect("cp_sealer"), ledger_key).seal()


def test_another_key_needs_the_operators_word(happen, sealer, connect, tmp_path):
    happen()
    sealer.seal()
    happen()
    other = load_or_create(tmp_path / "other_key")
    with pytest.raises(CannotSeal, match="another key"):
        Sealer(connect("cp_sealer"), other).seal()
    assert Sealer(connect("cp_sealer"), other, accept_new_key=True).seal() == 1
    assert SigningKey.objects.count() == 2


def test_a_key_others_can_read_is_refused(tmp_path):
    load_or_create(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(Unavailable, match="0600"):
        load_or_create(tmp_path / "key")


def test_pages_can_say_how_far_the_sealer_is_behind(happen, sealer):
    happen(2)
    state = chain_state()
    assert (state.waiting, state.checkpoint, state.is_stale) == (2, None, False)
    assert 0 <= state.lag_seconds < 30
    sealer.seal()
    assert (chain_state().waiting, chain_state().checkpoint.tree_size) == (0, 2)


def test_the_receipt_of_an_event_leads_to_the_signed_root(happen, sealer):
    keys = happen(7)
    sealer.seal()
    for key in keys:
        proof = inclusion_proof(key)
        found = verify_ledger.root_from_inclusion(
            bytes.fromhex(proof["leaf"]),
            proof["seq"],
            proof["tree_size"],
            [bytes.fromhex(each) for each in proof["path"]],
        )
        assert found == verify_ledger.Note(proof["checkpoint"]).root


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 64, 100])
def test_a_second_implementation_agrees_on_the_tree(size):
    entries = [f"entry {number}".encode() for number in range(size)]
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    leaves = [other.get_leaf(number + 1) for number in range(size)]
    tree = Tree(leaves)
    assert tree.root() == CompactRange(leaves).root() == other.get_state()
    for earlier in range(1, size + 1):
        assert tree.root(earlier) == other.get_state(earlier)
        path = tree.consistency(earlier)
        assert verify_ledger.is_consistent(earlier, tree.root(earlier), size, tree.root(), path)
        theirs = other.prove_consistency(earlier, size)
        pymerkle.verify_consistency(tree.root(earlier), tree.root(), theirs)
    for index in range(size):
        assert (
            verify_ledger.root_from_inclusion(leaves[index], index, size, tree.inclusion(index))
            == tree.root()
        )
        theirs = other.prove_inclusion(index + 1, size)
        pymerkle.verify_inclusion(leaves[index], tree.root(), theirs)
        assert set(tree.inclusion(index)) <= set(theirs.path)


def test_false_proofs_are_refused():
    tree = Tree([bytes([number]) * 32 for number in range(13)])
    path = tree.inclusion(5)
    for index, size, steps in [
        (4, 13, path),
        (5, 7, path),
        (5, 13, path[:-1]),
        (5, 13, [*path, path[0]]),
        (13, 13, path),
    ]:
        assert verify_ledger.root_from_inclusion(tree.leaf(5), index, size, steps) != tree.root()
    proof = tree.consistency(6)
    assert not verify_ledger.is_consistent(6, tree.root(5), 13, tree.root(), proof)
    assert not verify_ledger.is_consistent(5, tree.root(5), 13, tree.root(), proof)
    assert not verify_ledger.is_consistent(6, tree.root(6), 13, tree.root(), proof[1:])


def test_ed25519_in_python_knows_the_vectors_of_rfc_8032():
    vectors = [
        ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ]  # fmt: skip
    for public, message, signature in vectors:
        key, text, signed = (bytes.fromhex(each) for each in (public, message, signature))
        assert verify_ledger.ed25519_in_python(key, text, signed)
        assert not verify_ledger.ed25519_in_python(key, text + b"x", signed)
        assert not verify_ledger.ed25519_in_python(key, text, signed[:-1] + b"\x01")
