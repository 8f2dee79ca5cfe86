"""Names and texts of schemas/spec/ids.md; another part of second_reader.py."""
from second_reader import log_id, need, root_of, tagged

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

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
