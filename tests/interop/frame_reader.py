"""The frames of schemas/spec/wire.md; the other half of second_reader.py."""
import zstandard

from second_reader import Cbor, ENVELOPE_MAX, CHANGE_MAX, EDITION_MAX, Refused, check_body, need, read_entry

FRAME_MAX, UNPACKED_MAX, NUMBER_MAX = 131_072, 512 << 10, 1 << 32
ITEMS = [7, 2, 3, 5, 3, 4, 2, 3, 3, 2, 3, 2]

def read_frame(frame):
    need(len(frame) <= FRAME_MAX, "TooLong")
    r = Cbor(frame)
    items = r.array(7)
    kind = (r.uint(), items)
    need(kind in enumerate(ITEMS), "UnknownKind")

    def listed(*reads):
        r.array_of(len(reads))
        return [read() for read in reads]

    def number():
        return r.uint(NUMBER_MAX)

    entries = None
    if kind[0] == 0:
        need(r.uint() == 1, "UnknownVersion")
        r.fixed(), number(), r.fixed(), number(), r.fixed()
    elif kind[0] == 1:
        number()
    elif kind[0] == 2:
        r.fixed(), r.uint(EDITION_MAX)
    elif kind[0] == 3:
        _, offset, total = r.fixed(), r.uint(EDITION_MAX), r.uint(EDITION_MAX)
        need(offset + len(r.bytes(49_152)) <= total, "Cbor(OutOfRange)")
    elif kind[0] == 4:
        r.many(1024, r.division), r.many(1024, lambda: listed(r.division, r.fixed))
    elif kind[0] == 5:
        r.null() or r.many(1024, r.division)
        r.many(1024, lambda: listed(r.fixed, number, r.fixed)), r.uint(1)
    elif kind[0] == 6:
        r.fixed()
    elif kind[0] == 7:
        r.fixed(), r.many(128, lambda: listed(number, r.fixed))
    elif kind[0] == 8:
        entries = r.uint(UNPACKED_MAX), r.bytes(FRAME_MAX)
    elif kind[0] == 9:
        r.uint()
    elif kind[0] == 10:
        r.text(200), r.uint()
    else:
        r.many(256, r.fixed)
    r.end()
    return unpack(*entries) if entries else {}

def unpack(length, packed):
    try:
        need(zstandard.get_frame_parameters(packed).content_size == length, "BadPacking")
        plain = zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError:
        raise Refused("BadPacking") from None
    r = Cbor(plain)

    def parcel():
        r.array_of(2)
        envelope = r.bytes(ENVELOPE_MAX)
        try:
            core = read_entry(envelope)
        except Refused as fault:
            raise Refused(f"Entry({fault})") from None
        if r.null():
            return core["id"], False
        body = r.bytes(16 + CHANGE_MAX)
        try:
            check_body(core, body)
        except Refused as fault:
            raise Refused(f"Entry({fault})") from None
        return core["id"], True

    parcels = r.many(512, parcel)
    r.end()
    return {"entries": [one for one, _ in parcels], "bodies": sum(body for _, body in parcels)}
