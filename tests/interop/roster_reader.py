"""The roster of schemas/spec/edition.md; another part of second_reader.py."""
from second_reader import EDITION_MAX, NUMBER_MAX, ROOT, TIME_MAX, TIME_MIN, Cbor, Refused, is_sound, need
from second_reader import read_cose, signed, tagged, verifies

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

def judge_edition(edition):
    read = read_edition(edition)
    return {key: read[key] for key in ("facts", "id", "network", "number", "signers")}

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
