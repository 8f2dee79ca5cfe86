"""Proofs of schemas/spec/proofs.md: an entry's place under a checkpoint, one checkpoint's growth from another.

Another part of second_reader.py."""
import hashlib

from second_reader import Refused, key_id, need, note_body, unbase64, verifies

PROOF_MAX, HASHES_MAX, NOTE_MAX = 64 + 63 * 45 + 4096, 63, 4096

def parent(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()

def split(size):
    """The largest power of two below a size of two or more."""
    return 1 << (size - 1).bit_length() - 1

# The path is taken from its end: the last hash is the root's child.
def root_by_inclusion(node, index, size, path):
    if size == 1:
        need(not path, "Path")
        return node
    need(path, "Path")
    left = split(size)
    if index < left:
        return parent(root_by_inclusion(node, index, left, path[:-1]), path[-1])
    return parent(path[-1], root_by_inclusion(node, index - left, size - left, path[:-1]))

def roots_by_consistency(old_root, old, size, path, is_old=True):
    """The root of the first `old` leaves and of all, as the path tells them."""
    if old == size:
        need(len(path) == (0 if is_old else 1), "Path")
        return (old_root, old_root) if is_old else (path[0], path[0])
    need(path, "Path")
    left = split(size)
    if old <= left:
        first, whole = roots_by_consistency(old_root, old, left, path[:-1], is_old)
        return first, parent(whole, path[-1])
    first, whole = roots_by_consistency(old_root, old - left, size - left, path[:-1], False)
    return parent(path[-1], first), parent(path[-1], whole)

def check_inclusion(entry, index, size, root, path):
    need(index < size and len(path) <= HASHES_MAX, "Path")
    need(root_by_inclusion(hashlib.sha256(b"\0" + entry).digest(), index, size, path) == root, "Path")

def check_consistency(old, old_root, size, root, path):
    need(0 < old <= size and len(path) <= HASHES_MAX, "Path")
    need(roots_by_consistency(old_root, old, size, path) == (old_root, root), "Path")

def note_form(holds):
    need(holds, "Note(Form)")

def read_signed_note(note, network):
    """A checkpoint with all its lines: (log, size, root, [(name, key id, payload)])."""
    note_form(len(note.encode()) <= NOTE_MAX and note.endswith("\n"))
    body, found, rest = note.partition("\n\n")
    lines = body.split("\n")
    note_form(found and len(lines) == 3)
    try:
        root, log = unbase64(lines[2]), bytes.fromhex(lines[0].rpartition("/")[2])
        note_form(len(log) == len(root) == 32 and int(lines[1]) < 2**64)
        note_form(note_body(network, log, int(lines[1]), root) == body + "\n")
        signatures = []
        for line in rest[:-1].split("\n"):
            parts = line.split(" ")
            note_form(len(parts) == 3 and parts[0] == "—" and parts[1] and "+" not in parts[1])
            note_form(not any(c.isspace() or ord(c) < 32 or 127 <= ord(c) < 160 for c in parts[1]))
            data = unbase64(parts[2])
            note_form(len(data) > 4)
            signatures.append((parts[1], data[:4], data[4:]))
    except (ValueError, Refused):
        raise Refused("Note(Form)") from None
    return log, int(lines[1]), root, signatures

def witness_time(network, note, witness):
    """When a witness co-signed; None when it did not. A line of it that does not verify spoils the note."""
    log, size, root, lines = note
    times = []
    for name, key, payload in lines:
        if name == witness[:8].hex() and key == key_id(name, 4, witness):
            need(len(payload) == 72, "Signature")
            time = int.from_bytes(payload[:8], "big")
            message = f"cosignature/v1\ntime {time}\n{note_body(network, log, size, root)}"
            need(verifies(witness, message.encode(), payload[8:]), "Signature")
            times.append(time)
    return min(times, default=None)

def read_proof(text, network, opening):
    need(len(text.encode()) <= PROOF_MAX and text.startswith(opening), "Form")
    number, found, rest = text[len(opening):].partition("\n")
    need(found and number.isascii() and number.isdigit() and str(int(number)) == number, "Form")
    need(int(number) < 2**64, "Form")
    path = []
    while True:
        line, found, rest = rest.partition("\n")
        need(found, "Form")
        if not line:
            break
        path.append(unbase64(line))
        need(len(path[-1]) == 32 and len(path) <= HASHES_MAX, "Form")
    return int(number), path, read_signed_note(rest, network)

def read_inclusion(text, network):
    return read_proof(text, network, "c2sp.org/tlog-proof@v1\nindex ")

def read_consistency(text, network):
    return read_proof(text, network, "old ")

def judge_inclusion(text, network, entry):
    index, path, (log, size, root, _) = read_inclusion(text, network)
    check_inclusion(entry, index, size, root, path)
    return {"index": index, "log": log, "root": root, "size": size}

def judge_consistency(text, network, old_root):
    old, path, (log, size, root, _) = read_consistency(text, network)
    check_consistency(old, old_root, size, root, path)
    return {"log": log, "old": old, "root": root, "size": size}
