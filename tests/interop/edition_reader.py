"""Roster editions of schemas/spec/edition.md; another part of second_reader.py.

What a set of editions amounts to stands in roster_reader.py."""
from second_reader import EDITION_MAX, NUMBER_MAX, TIME_MAX, TIME_MIN, Cbor, head, is_sound, need
from second_reader import read_cose, signed, tagged, verifies

OFFICE_MAX, PEOPLE_MAX = 2**32 - 1, 8
PURPOSES = {"root": b"xiangwang/root/1", "registrar": b"xiangwang/registrar/1", "joining": b"xiangwang/joining/1"}
INVITATION, PLAIN = b"xiangwang/invitation/1", b"\xa1\x01\x32"
NAMES = ("root", "rules", "place", "office", "signer", "cut", "schema", "registrar", "invite", "replace",
         "adjudicate", "adopt", "recover")

def sound_key(r):
    value = r.fixed()
    need(is_sound(value), "WeakKey")
    return value

def ascending(values, fault="BadRoot"):
    need(values == sorted(set(values)), fault)

def read_root(r):
    fact = {"threshold": r.uint(16), "keys": r.many(16, lambda: sound_key(r))}
    ascending(fact["keys"])
    need(0 < fact["threshold"] <= len(fact["keys"]), "BadRoot")
    return fact

def read_signer(r):
    key, kind = sound_key(r), ("node", "person")[r.uint(1)]
    return {"key": key, "kind": kind, "office": r.uint(OFFICE_MAX), "name": r.text(120), "roles": read_roles(r)}

def read_roles(r):
    return r.many(16, lambda: r.text(16))

def read_cut(r):
    def kept():
        r.array_of(3)
        return r.fixed(), r.uint(NUMBER_MAX), r.fixed()
    fact = {"key": r.fixed(), "kept": r.many(4096, kept)}
    ascending([log for log, _, _ in fact["kept"]])
    return fact

def read_registrar(r):
    fact = {"office": r.uint(OFFICE_MAX), "term": r.uint(NUMBER_MAX), "threshold": r.uint(16), "role": r.text(16)}
    fact["closes"] = None
    if not r.null():
        r.array_of(2)
        fact["closes"] = r.uint(NUMBER_MAX), r.fixed()
    need(fact["term"] and fact["threshold"] and (fact["term"] > 1 or not fact["closes"]), "BadRegistrar")
    return fact

def read_invite(r):
    def person():
        r.array_of(2)
        return r.text(120), read_roles(r)
    fact = {"key": sound_key(r), "office": r.uint(OFFICE_MAX)}
    fact["node"] = None if r.null() else r.text(120)
    fact["people"] = r.many(PEOPLE_MAX, person)
    need(fact["node"] is not None or fact["people"], "EmptyInvitation")
    fact["proof"] = r.fixed(64)
    return fact

def is_proven(fact, scope):
    """Whether the key of an invitation signed who invites and whom."""
    by = scope[1] if scope[0] == "registrar" else None
    inviting = b"\x82" + (b"\xf6" if by is None else head(0, by)) + head(0, fact["office"])
    return verifies(fact["key"], signed(INVITATION, PLAIN, inviting), fact["proof"])

def read_replace(r):
    by, office = None if r.null() else r.uint(OFFICE_MAX), r.uint(OFFICE_MAX)
    node = None if r.null() else sound_key(r)
    return {"by": by, "office": office, "node": node, "people": r.many(PEOPLE_MAX, lambda: sound_key(r))}

def read_point(r):
    return {"log": r.fixed(), "number": r.uint(NUMBER_MAX), "entry": r.fixed()}

def read_recover(r):
    rejected = r.many(64, r.fixed)
    ascending(rejected)
    need(rejected, "BadRoot")
    return {"rejected": rejected}

READERS = {
    (0, 3): read_root,
    (1, 2): lambda r: {"version": r.uint()},
    (2, 3): lambda r: {"division": r.division(), "name": r.text(120)},
    (3, 4): lambda r: {"office": r.uint(OFFICE_MAX), "division": r.division(), "name": r.text(120)},
    (4, 6): read_signer,
    (5, 3): read_cut,
    (6, 3): lambda r: {"type": r.text(16), "definition": r.fixed()},
    (7, 6): read_registrar,
    (8, 6): read_invite,
    (9, 5): read_replace,
    (10, 4): read_point,
    (11, 4): read_point,
    (12, 2): read_recover,
}

def read_fact(r):
    items = r.array(6)
    kind = (r.uint(), items)
    need(kind in READERS, "Cbor(OutOfRange)")
    return {"fact": NAMES[kind[0]], **READERS[kind](r)}

def read_scope(r):
    """("root",), ("registrar", office, term) or ("joining", invitation)."""
    items = r.array(3)
    kind = (r.uint(), items)
    need(kind in ((0, 1), (1, 3), (2, 2)), "Cbor(OutOfRange)")
    if kind[0] == 0:
        return ("root",)
    return ("registrar", r.uint(OFFICE_MAX), r.uint(NUMBER_MAX)) if kind[0] == 1 else ("joining", sound_key(r))

def read_edition(data):
    need(len(data) <= EDITION_MAX, "TooLong")
    payload, signatures = read_cose(data, EDITION_MAX)
    r = Cbor(payload)
    r.array_of(7)
    need(r.uint() == 1, "UnknownVersion")
    network, scope = r.optional(), read_scope(r)
    number, previous, time = r.uint(NUMBER_MAX), r.fixed(), r.uint(TIME_MAX)
    facts = r.many(20_000, lambda: read_fact(r))
    r.end()
    first, bare = number == 1, previous == bytes(32)
    need(number > 0 and time >= TIME_MIN, "Cbor(OutOfRange)")
    need(scope[0] != "registrar" or number <= 1024, "Cbor(OutOfRange)")
    need(scope == ("root",) or first == bare, "Cbor(OutOfRange)")
    need((network is None) == (scope == ("root",) and first and bare), "Cbor(OutOfRange)")
    kinds = [fact["fact"] for fact in facts]
    need(kinds.count("invite") <= 1024, "Cbor(WrongLength)")
    if scope[0] == "joining":
        need(kinds == ["replace"] and first, "BadJoining")
    else:
        need("replace" not in kinds, "BadJoining")
    signers = []
    for header, key, signature in signatures:
        need(key and (not signers or signers[-1] < key), "BadSignature")
        need(verifies(key, signed(PURPOSES[scope[0]], header, payload), signature), "BadSignature")
        signers.append(key)
    for fact in facts:
        need(fact["fact"] != "invite" or is_proven(fact, scope), "BadInvitation")
    identity = tagged("xw/roster/1", payload)
    return {"id": identity, "network": network or identity, "scope": scope, "number": number, "previous": previous,
            "facts": facts, "signers": signers}

def judge_edition(edition):
    read = read_edition(edition)
    scope = {"root": "root", "registrar": "registrar of office {}, term {}", "joining": "joining {}"}[read["scope"][0]]
    named = [part.hex() if isinstance(part, bytes) else part for part in read["scope"][1:]]
    kinds = bytes(NAMES.index(fact["fact"]) for fact in read["facts"])
    copy = tagged("xw/edition-copy/1", edition) if read["scope"][0] == "registrar" else read["id"]
    return {**{key: read[key] for key in ("id", "network", "number", "signers")}, "copy": copy,
            "facts": kinds, "scope": scope.format(*named)}

def judge_chain(editions):
    head, root = {"number": 0, "id": bytes(32)}, None
    for edition in map(read_edition, editions):
        need(edition["network"] == head.get("network", edition["network"]), "OtherNetwork")
        need((edition["number"], edition["previous"]) == (head["number"] + 1, head["id"]), "Gap")
        named = [(fact["threshold"], fact["keys"]) for fact in edition["facts"] if fact["fact"] == "root"]
        need(root or named, "NoRoot")
        new = named[-1] if named else root
        for threshold, keys in (root or new, new):
            need(len(set(keys) & set(edition["signers"])) >= threshold, "Threshold")
        head, root = edition, new
    return {"head": head["id"], "network": head["network"], "threshold": root[0]}
