"""A second reader of entries, logs, checkpoints and witnesses, written from schemas/spec alone.

`second_reader.py FOLDER` judges every vector in the folder: valid, or refused under a name. Shares
no code with the first reader. Beside it: edition_reader, roster_reader, frame_reader, id_reader, judge_vectors.
"""
import base64, binascii, hashlib, sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TIME_MIN, TIME_MAX, NUMBER_MAX = 946_684_800_000, 7_258_118_400_000, 1 << 32
CORE_MAX, ENVELOPE_MAX, CHANGE_MAX, EDITION_MAX = 65_536, 66_560, 65_536, 4 << 20
NODE, PERSON = b"xiangwang/node/1", b"xiangwang/person/1"
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

class Refused(Exception):
    pass

def need(holds, name):
    if not holds:
        raise Refused(name)

def tagged(tag, *parts):
    return hashlib.sha256(tag.encode() + b"\n" + b"".join(parts)).digest()

# Deterministic CBOR
def head(major, value):
    size = next(n for n in (0, 1, 2, 4, 8) if value < (24 if n == 0 else 256**n))
    first = value if size == 0 else 23 + size.bit_length()
    return bytes([major << 5 | first]) + (value.to_bytes(size, "big") if size else b"")

def bstr(value):
    return head(2, len(value)) + value

class Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "Cbor(Truncated)")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self, major, most=2**64 - 1, fault="Cbor(OutOfRange)"):
        need(self.at < len(self.data), "Cbor(Truncated)")
        need(self.data[self.at] >> 5 == major, "Cbor(WrongType)")
        value = self.take(1)[0] & 31
        if value > 23:
            need(value < 28, "Cbor(NotShortest)")
            least = [24, 1 << 8, 1 << 16, 1 << 32][value - 24]
            value = int.from_bytes(self.take(1 << value - 24), "big")
            need(value >= least, "Cbor(NotShortest)")
        need(value <= most, fault)
        return value

    def uint(self, most=2**64 - 1):
        return self.head(0, most)

    def bytes(self, most):
        return self.take(self.head(2, most, "Cbor(WrongLength)"))

    def fixed(self, size=32):
        value = self.bytes(size)
        need(len(value) == size, "Cbor(WrongLength)")
        return value

    def text(self, most):
        value = self.take(self.head(3, most, "Cbor(WrongLength)"))
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Refused("Cbor(NotUtf8)") from None

    def array(self, most):
        return self.head(4, most, "Cbor(WrongLength)")

    def array_of(self, count):
        need(self.array(count) == count, "Cbor(WrongLength)")

    def empty_map(self):
        self.head(5, 0, "Cbor(WrongLength)")

    def many(self, most, read):
        return [read() for _ in range(self.array(most))]

    def null(self):
        found = self.data[self.at:self.at + 1] == b"\xf6"
        self.at += found
        return found

    def optional(self):
        return None if self.null() else self.fixed()

    def division(self):
        code = self.uint()
        need(10**11 <= code < 10**12, "Cbor(OutOfRange)")
        return code

    def end(self):
        need(self.at == len(self.data), "Cbor(Trailing)")

# Strict ed25519
def is_sound(key):
    """A canonical point of the curve that is not of small order."""
    y = int.from_bytes(key, "little") & (1 << 255) - 1
    if y >= P:
        return False
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    if pow(u * pow(v, P - 2, P), (P - 1) // 2, P) not in (0, 1):
        return False
    # Orders 1, 2 and 4 have y = 1, -1 and 0; order 8 is what doubling brings to y = 0: x^2 = -y^2.
    return y not in (0, 1, P - 1) and (D * y**4 + 2 * y * y - 1) % P != 0

def verifies(key, message, signature):
    """The equation is the package's (without cofactor); what it may be lax in is checked here."""
    if not is_sound(key) or not is_sound(signature[:32]) or int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True

def read_cose(data, most):
    r = Cbor(data)
    r.array_of(4)
    r.fixed(0)
    r.empty_map()
    payload = r.bytes(most)

    def signature():
        r.array_of(3)
        header = r.bytes(38)
        keyed = len(header) == 38 and header.startswith(b"\xa2\x01\x32\x04\x58\x20")
        need(keyed or header == b"\xa1\x01\x32", "Cbor(OutOfRange)")
        r.empty_map()
        return header, header[6:] if keyed else None, r.fixed(64)

    signatures = r.many(16, signature)
    r.end()
    return payload, signatures

def signed(purpose, header, payload):
    parts = map(bstr, [b"", header, purpose, payload])
    return head(4, 5) + head(3, 9) + b"Signature" + b"".join(parts)

# Entries
def type_code(r):
    code = r.text(16)
    need(code and set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), "Cbor(OutOfRange)")
    return code

def read_statement(r, core):
    items = r.array(6)
    kind = (r.uint(), items)
    if kind == (0, 6):
        core.update(statement="open", opener=r.fixed(), division=r.division(), audience=r.uint(2),
                    incarnation=r.fixed(16), successor=r.optional())
    elif kind == (1, 6):
        core.update(statement="change", record=r.fixed(16), type=type_code(r))
        core.update(schema=r.fixed(), commitment=r.fixed(), length=r.uint(CHANGE_MAX))
    elif kind == (2, 2):
        core.update(statement="witness", pins=[])
        for _ in range(r.array(256)):
            r.array_of(6)
            pin = (r.fixed(), r.uint(NUMBER_MAX), r.fixed(), r.fixed(), r.uint(TIME_MAX // 1000), r.fixed(64))
            need(pin[1] > 0 and (not core["pins"] or core["pins"][-1][0] < pin[0]), "BadPins")
            core["pins"].append(pin)
        need(core["pins"], "BadPins")
    elif kind == (3, 4):
        core.update(statement="erase", record=r.fixed(16), type=type_code(r), ground=r.uint())
        need(1 <= core["ground"] <= 5, "Cbor(OutOfRange)")
    elif kind == (4, 4):
        core.update(statement="erased", record=r.fixed(16), because=(r.fixed(), r.fixed()))
        need(core["because"][0] < core["because"][1], "BadReceipt")
    else:
        raise Refused("UnknownStatement")

def read_core(payload):
    r = Cbor(payload)
    r.array_of(13)
    need(r.uint() == 1, "UnknownVersion")
    core = {"network": r.fixed()}
    need(r.uint() == 1, "UnknownVersion")
    core.update(log=r.fixed(), sequence=r.uint(NUMBER_MAX), previous=r.fixed(), root=r.fixed(), seen=r.optional(),
                time=r.uint(TIME_MAX), operation=r.fixed(16), republishes=r.optional(), person=r.optional())
    read_statement(r, core)
    r.end()
    need(core["time"] >= TIME_MIN, "Cbor(OutOfRange)")
    if core["statement"] == "open":
        log = log_id(core["network"], core["opener"], core["division"], core["audience"], core["incarnation"])
        first = (core["sequence"], core["previous"], core["root"]) == (0, bytes(32), root_of([]))
        need(first and log == core["log"] and core["republishes"] is None, "BadOpening")
    else:
        need(core["sequence"] > 0, "BadOpening")
    if core["statement"] in ("witness", "erased"):
        need(core["person"] is None, "Signers")
    need(core["statement"] != "erase" or core["person"], "Signers")
    need(core["statement"] == "open" or core["republishes"] is None or core["person"], "BadRepublication")
    return core

def read_entry(envelope):
    need(len(envelope) <= ENVELOPE_MAX, "TooLong")
    payload, signatures = read_cose(envelope, CORE_MAX)
    core = read_core(payload)
    keys = [key for _, key, _ in signatures]
    need(keys and keys[0] and keys[1:] == [None] * (core["person"] is not None), "Signers")
    need(core.get("opener", keys[0]) == keys[0], "Signers")
    core.update(id=tagged("xw/entry/1", payload), node=keys[0], payload=payload, signatures=signatures)
    return core

def verify_entry(core, network):
    need(core["network"] == network, "OtherNetwork")
    for (header, _, signature), key, purpose in zip(core["signatures"], (core["node"], core["person"]), (NODE, PERSON)):
        need(is_sound(key), "WeakKey")
        need(verifies(key, signed(purpose, header, core["payload"]), signature), "BadSignature")
    for log, size, _, root, time, cosignature in core.get("pins", []):
        need(verifies(core["node"], cosigned(network, log, size, root, time), cosignature), "BadSignature")

def check_body(core, body):
    need(core["statement"] == "change" and 16 <= len(body) <= 16 + CHANGE_MAX, "BadBody")
    need((len(body) - 16, tagged("xw/body/1", body)) == (core["length"], core["commitment"]), "BadBody")

def root_of(ids):
    if len(ids) < 2:
        return hashlib.sha256(b"".join(b"\0" + one for one in ids)).digest()
    left = 1 << (len(ids) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(ids[:left]) + root_of(ids[left:])).digest()

def log_id(network, node, division, audience, incarnation):
    return tagged("xw/log/1", network, node, division.to_bytes(8, "big"), bytes([audience]), incarnation)

# Checkpoints
def note_body(network, log, size, root):
    return f"xiangwang/{network[:8].hex()}/{log.hex()}\n{size}\n{base64.b64encode(root).decode()}\n"

def cosigned(network, log, size, root, time):
    return f"cosignature/v1\ntime {time}\n{note_body(network, log, size, root)}".encode()

def key_id(name, algorithm, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]

def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("Form") from None
    need(base64.b64encode(data).decode() == text, "Form")
    return data

def read_note(note, network, node):
    need(len(note.encode()) <= 4096 and note.endswith("\n"), "Form")
    body, found, rest = note.partition("\n\n")
    lines = body.split("\n")
    need(found and len(lines) == 3, "Form")
    origin, size, root = lines[0], lines[1], unbase64(lines[2])
    try:
        log = bytes.fromhex(origin.rpartition("/")[2])
        need(len(log) == len(root) == 32 and int(size) < 2**64, "Form")
        need(note_body(network, log, int(size), root) == body + "\n", "Form")
    except ValueError:
        raise Refused("Form") from None
    own = []
    for line in rest[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "—" and parts[1] and "+" not in parts[1], "Form")
        need(not any(c.isspace() or ord(c) < 32 or 127 <= ord(c) < 160 for c in parts[1]), "Form")
        data = unbase64(parts[2])
        need(len(data) > 4, "Form")
        if parts[1] == origin and data[:4] == key_id(origin, 1, node):
            own.append(data[4:])
    message = (body + "\n").encode()
    need(own and all(len(one) == 64 and verifies(node, message, one) for one in own), "Signature")
    return {"log": log, "size": int(size), "root": root}

# What a vector asks for
def judge_entry(envelope, network, body=None):
    core = read_entry(envelope)
    if body is not None:
        check_body(core, body)
    verify_entry(core, network)
    reading = {key: core[key] for key in ("id", "log", "node", "sequence", "statement")}
    return {**reading, **{key: core.get(key) or "" for key in ("person", "record", "republishes")}}

def judge_log(entries, network):
    ids, roots, first = [], [], None
    for entry in map(read_entry, entries):
        verify_entry(entry, network)
        first = first or entry
        need(first["sequence"] == 0 and entry["log"] == first["log"], "UnknownLog")
        need(entry["node"] == first["node"], "OtherNode")
        before = ids[-1] if ids else bytes(32)
        need((entry["sequence"], entry["previous"]) == (len(ids), before), "MissingPrevious")
        need(entry["root"] == root_of(ids), "WrongRoot")
        ids.append(entry["id"])
        roots.append(root_of(ids))
    return {"log": first["log"], "head": ids[-1], "roots": roots}

def judge_cosignature(network, witness, log, size, root, time_s, cosignature):
    need(verifies(witness, cosigned(network, log, size, root, time_s), cosignature), "BadSignature")
    name = witness[:8].hex()
    payload = key_id(name, 4, witness) + time_s.to_bytes(8, "big") + cosignature
    return {"line": f"— {name} {base64.b64encode(payload).decode()}\n"}

if __name__ == "__main__":
    # The other parts import this module: let them find the one that runs.
    sys.modules["second_reader"] = sys.modules["__main__"]
    from judge_vectors import main
    sys.exit(main(sys.argv[1]))
