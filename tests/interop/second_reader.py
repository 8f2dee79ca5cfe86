"""A second reader of the formats, written from schemas/spec alone. (Frames: frame_reader.py.)

Judges every vector in the folder given as argument: `valid`, or refused under a name. Prints what
it disagrees with and exits with 1. Shares no code with the first reader.
"""
import base64, binascii, hashlib, json, pathlib, sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TIME_MIN, TIME_MAX, NUMBER_MAX = 946_684_800_000, 7_258_118_400_000, 1 << 32
CORE_MAX, ENVELOPE_MAX, CHANGE_MAX, EDITION_MAX = 65_536, 66_560, 65_536, 4 << 20
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NODE, PERSON, ROOT = b"xiangwang/node/1", b"xiangwang/person/1", b"xiangwang/root/1"
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
    return bytes([major << 5 | first]) + value.to_bytes(size, "big")

def bstr(value):
    return head(2, len(value)) + value

class Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "Cbor(Truncated)")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self, major):
        need(self.at < len(self.data), "Cbor(Truncated)")
        first = self.data[self.at]
        need(first >> 5 == major, "Cbor(WrongType)")
        self.at += 1
        small = first & 31
        if small < 24:
            return small
        need(small < 28, "Cbor(NotShortest)")
        value = int.from_bytes(self.take(1 << small - 24), "big")
        need(value >= [24, 1 << 8, 1 << 16, 1 << 32][small - 24], "Cbor(NotShortest)")
        return value

    def uint(self, most=2**64 - 1):
        value = self.head(0)
        need(value <= most, "Cbor(OutOfRange)")
        return value

    def length(self, major, most):
        value = self.head(major)
        need(value <= most, "Cbor(WrongLength)")
        return value

    def bytes(self, most):
        return self.take(self.length(2, most))

    def fixed(self, size=32):
        value = self.bytes(size)
        need(len(value) == size, "Cbor(WrongLength)")
        return value

    def text(self, most):
        try:
            return self.take(self.length(3, most)).decode()
        except UnicodeDecodeError:
            raise Refused("Cbor(NotUtf8)") from None

    def array(self, most):
        return self.length(4, most)

    def array_of(self, count):
        need(self.array(count) == count, "Cbor(WrongLength)")

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

    def many(self, most, read):
        return [read() for _ in range(self.array(most))]

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
    need(r.length(5, 0) == 0, "Cbor(WrongLength)")
    payload = r.bytes(most)

    def signature():
        r.array_of(3)
        header = r.bytes(38)
        keyed = len(header) == 38 and header.startswith(b"\xa2\x01\x32\x04\x58\x20")
        need(keyed or header == b"\xa1\x01\x32", "Cbor(OutOfRange)")
        r.length(5, 0)
        return header, header[6:] if keyed else None, r.fixed(64)

    signatures = r.many(16, signature)
    r.end()
    return payload, signatures

def signed(purpose, header, payload):
    parts = map(bstr, [b"", header, purpose, payload])
    return head(4, 5) + head(3, 9) + b"Signature" + b"".join(parts)

# Entries
def read_statement(r, core):
    items = r.array(6)
    kind = (r.uint(), items)
    if kind == (0, 6):
        core.update(statement="open", opener=r.fixed(), division=r.division(), audience=r.uint(2),
                    incarnation=r.fixed(16), successor=r.optional())
    elif kind == (1, 6):
        core.update(statement="change", record=r.fixed(16), type=r.text(16))
        code = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
        need(core["type"] and set(core["type"]) <= code, "Cbor(OutOfRange)")
        core.update(schema=r.fixed(), commitment=r.fixed(), length=r.uint(CHANGE_MAX))
    elif kind == (2, 2):
        core.update(statement="witness", pins=[])
        for _ in range(r.array(256)):
            r.array_of(6)
            pin = (r.fixed(), r.uint(NUMBER_MAX), r.fixed(), r.fixed(), r.uint(TIME_MAX // 1000), r.fixed(64))
            need(pin[1] > 0 and (not core["pins"] or core["pins"][-1][0] < pin[0]), "BadPins")
            core["pins"].append(pin)
        need(core["pins"], "BadPins")
    else:
        raise Refused("UnknownStatement")

def read_core(payload):
    r = Cbor(payload)
    r.array_of(12)
    need(r.uint() == 1, "UnknownVersion")
    core = {"network": r.fixed()}
    need(r.uint() == 1, "UnknownVersion")
    core.update(log=r.fixed(), sequence=r.uint(NUMBER_MAX), previous=r.fixed(), root=r.fixed(), seen=r.optional(),
                time=r.uint(TIME_MAX), operation=r.fixed(16), person=r.optional())
    read_statement(r, core)
    r.end()
    need(core["time"] >= TIME_MIN, "Cbor(OutOfRange)")
    if core["statement"] == "open":
        log = log_id(core["network"], core["opener"], core["division"], core["audience"], core["incarnation"])
        first = (core["sequence"], core["previous"], core["root"]) == (0, bytes(32), root_of([]))
        need(first and log == core["log"], "BadOpening")
    else:
        need(core["sequence"] > 0, "BadOpening")
    need(core["statement"] != "witness" or core["person"] is None, "Signers")
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

# Editions
def read_fact(r):
    def key():
        value = r.fixed()
        need(is_sound(value), "WeakKey")
        return value

    def kept():
        r.array_of(3)
        return r.fixed(), r.uint(NUMBER_MAX), r.fixed()

    items = r.array(6)
    kind = (r.uint(), items)
    if kind == (0, 3):
        threshold, keys = r.uint(16), r.many(16, key)
        need(keys == sorted(set(keys)) and 0 < threshold <= len(keys), "BadRoot")
        return threshold, keys
    plain = {
        (1, 2): lambda: r.uint(),
        (2, 3): lambda: (r.division(), r.text(120)),
        (3, 4): lambda: (r.uint(2**32 - 1), r.division(), r.text(120)),
        (4, 6): lambda: (key(), r.uint(1), r.uint(2**32 - 1), r.text(120), r.many(16, lambda: r.text(16))),
        (6, 3): lambda: (r.text(16), r.fixed()),
    }
    if kind == (5, 3):
        r.fixed()
        logs = [log for log, _, _ in r.many(4096, kept)]
        need(logs == sorted(set(logs)), "BadRoot")
    else:
        need(kind in plain, "Cbor(OutOfRange)")
        plain[kind]()

def read_edition(data):
    need(len(data) <= EDITION_MAX, "TooLong")
    payload, signatures = read_cose(data, EDITION_MAX)
    r = Cbor(payload)
    r.array_of(6)
    need(r.uint() == 1, "UnknownVersion")
    network, number, previous, time = r.optional(), r.uint(NUMBER_MAX), r.fixed(), r.uint(TIME_MAX)
    facts = r.many(20_000, lambda: read_fact(r))
    r.end()
    founding = number == 1 and previous == bytes(32)
    need(number > 0 and (network is None) == founding and time >= TIME_MIN, "Cbor(OutOfRange)")
    signers = []
    for header, key, signature in signatures:
        need(key and (not signers or signers[-1] < key), "BadSignature")
        need(verifies(key, signed(ROOT, header, payload), signature), "BadSignature")
        signers.append(key)
    identity = tagged("xw/roster/1", payload)
    return {"id": identity, "network": network or identity, "number": number, "previous": previous,
            "facts": len(facts), "signers": signers, "root": ([f for f in facts if f] or [None])[-1]}

# Vectors
def given(case):
    """Hex becomes bytes; texts that are texts stay."""
    texts = {"note", "of", "text"}
    def value(key, item):
        if isinstance(item, list):
            return [bytes.fromhex(one) for one in item]
        return item if key in texts or isinstance(item, int) else bytes.fromhex(item)
    found = {key: value(key, item) for key, item in case["given"].items()}
    length = found.pop("padded_to", 0)
    return {key: item.ljust(length, b"\0") if key in ("envelope", "frame") else item for key, item in found.items()}

def judge_entry(envelope, network, body=None):
    core = read_entry(envelope)
    if body is not None:
        check_body(core, body)
    verify_entry(core, network)
    return {**{key: core[key] for key in ("id", "log", "node", "sequence", "statement")}, "person": core["person"] or ""}

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

def judge_chain(editions):
    head, root = {"number": 0, "id": bytes(32)}, None
    for edition in map(read_edition, editions):
        need(edition["network"] == head.get("network", edition["network"]), "OtherNetwork")
        need((edition["number"], edition["previous"]) == (head["number"] + 1, head["id"]), "Gap")
        need(root or edition["root"], "NoRoot")
        new = edition["root"] or root
        for threshold, keys in (root or new, new):
            need(len(set(keys) & set(edition["signers"])) >= threshold, "Threshold")
        head, root = edition, new
    return {"head": head["id"], "network": head["network"], "threshold": root[0]}

def record_text(value):
    return "".join(CROCKFORD[int.from_bytes(value, "big") >> 5 * at & 31] for at in range(25, -1, -1))

def judge_id(of, **g):
    if of == "log":
        return {"id": log_id(g["network"], g["node"], g["division"], g["audience"], g["incarnation"])}
    if of == "record":
        time = g["time_ms"].to_bytes(8, "big")
        made = time[2:] + tagged("xw/record/1", g["network"], g["node"], g["operation"], time)[:10]
        return {"id": made, "text": record_text(made)}
    if of == "actor":
        return {"id": tagged("xw/actor/1", g["log"], g["record"])[:16]}
    if of == "body":
        return {"commitment": tagged("xw/body/1", g["body"])}
    if of == "root":
        return {"root": root_of(g["entries"])}
    text = g["text"]
    if of == "division text":
        need(len(text) == 12 and text.isascii() and text.isdigit() and text[0] != "0", "NoDivision")
        return {"number": int(text)}
    need(len(text) == 26 and text.isascii() and set(text.upper()) <= set(CROCKFORD), "NoRecordId")
    value = sum(CROCKFORD.index(digit) << 5 * at for at, digit in enumerate(reversed(text.upper())))
    need(value < 1 << 128, "NoRecordId")
    return {"id": value.to_bytes(16, "big")}

def judge_edition(edition):
    read = read_edition(edition)
    return {key: read[key] for key in ("facts", "id", "network", "number", "signers")}

def plain(item):
    if isinstance(item, list):
        return [plain(one) for one in item]
    return item.hex() if isinstance(item, bytes) else item

def main(folder):
    from frame_reader import read_frame
    judges = {"entry": judge_entry, "log": judge_log, "checkpoint": read_note, "cosignature": judge_cosignature,
              "edition": judge_edition, "chain": judge_chain, "id": judge_id, "frame": read_frame}
    count, wrong = 0, 0
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        for case in json.loads(path.read_text("utf-8"))["cases"]:
            try:
                reading = judges[case["kind"]](**given(case))
                said = "valid", {key: plain(item) for key, item in reading.items()}
            except Refused as fault:
                said = str(fault), {}
            count += 1
            if said != (case["expect"], case.get("reading", {})):
                wrong += 1
                print(f"{path.name}: {case['name']}: {said} and not {case['expect']} {case.get('reading', '')}")
    print(f"{count} vectors, {wrong} judged otherwise" if wrong or not count else f"{count} vectors judged the same")
    return 1 if wrong or not count else 0

if __name__ == "__main__":
    # frame_reader imports this module: let it find the one that runs.
    sys.modules["second_reader"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1]))
