"""A second judge of evidence packs, written from schemas/spec/evidence-pack.md and proofs.md alone.

`pack_reader.py PACK [NETWORK]` prints what it found as JSON and exits with 1 when anything is wrong. It
judges bytes, signatures, the roster, logs, proofs, bodies and works completeness out anew; what the records
amount to under the rules is not its matter. Shares no code with the first judge.
"""
import hashlib, json, re, struct, sys, zlib

from second_reader import CHANGE_MAX, ENVELOPE_MAX, Cbor, Refused, check_body, need, read_cose, read_entry
from second_reader import signed, verifies, verify_entry
from edition_reader import read_edition
from pack_shapes import AUDIENCES, Peaks, Roster, covers
from proof_reader import check_consistency, check_inclusion, read_consistency, read_inclusion, witness_time
from statement_reader import Statement

STATEMENT = b"xiangwang/statement/1"
FILES_MAX, FILE_MAX, PACK_MAX = 65_000, 32 << 20, 2 << 30
STATEMENT_MAX = FILE_MAX - 1024
PART = re.compile(r"[a-z0-9_-][a-z0-9._-]*")

# The container
def is_name(name):
    parts = name.split("/")
    return name == "摘要.html" or len(name) <= 200 and len(parts) <= 3 and all(PART.fullmatch(p) for p in parts)

def place_of(name):
    return name.startswith("manifest."), name.encode()

def unzip(data):
    need(len(data) >= 22, "container")
    mark, disks, here, count, size, at, comment = struct.unpack("<IIHHIIH", data[-22:])
    need((mark, disks, here, comment) == (0x06054B50, 0, count, 0) and count <= FILES_MAX, "container")
    need(at + size == len(data) - 22, "container")
    files, where, total, entry = {}, 0, 0, at
    for _ in range(count):
        need(entry + 46 <= len(data) - 22, "container")
        mark, version = struct.unpack("<IH", data[entry:entry + 6])
        common = data[entry + 6:entry + 32]
        fixed, (crc, packed, length, name_length, extra) = common[:10], struct.unpack("<IIIHH", common[10:])
        rest, offset = data[entry + 32:entry + 42], struct.unpack("<I", data[entry + 42:entry + 46])[0]
        need((mark, version, extra, offset) == (0x02014B50, 20, 0, where) and not any(rest), "container")
        need(fixed == struct.pack("<HHHHH", 20, 0x0800, 8, 0, 0x21), "container")
        total += length
        need(length <= FILE_MAX and total <= PACK_MAX, "container")
        name = data[entry + 46:entry + 46 + name_length]
        need(data[where:where + 30 + name_length] == b"PK\3\4" + common + name, "container")
        text = name.decode()
        need(is_name(text) and (not files or place_of(list(files)[-1]) < place_of(text)), "container")
        inflate = zlib.decompressobj(-15)
        content = inflate.decompress(data[where + 30 + name_length:where + 30 + name_length + packed], length + 1)
        need(len(content) == length and zlib.crc32(content) == crc and inflate.eof, "container")
        need(not inflate.unused_data and not inflate.unconsumed_tail, "container")
        files[text] = content
        where += 30 + name_length + packed
        entry += 46 + name_length
    need(where == at and entry == len(data) - 22, "container")
    return files

# Statements
def read_json(data):
    value = json.loads(data)
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    need(again == data, "json")
    return value

def open_statement(data):
    payload, signatures = read_cose(data, STATEMENT_MAX)
    need(len(signatures) == 1 and signatures[0][1], "statement")
    header, key, signature = signatures[0]
    need(verifies(key, signed(STATEMENT, header, payload), signature), "statement")
    return payload, key

class Pack:
    def __init__(self, data, network):
        self.found = []
        self.files = unzip(data)
        self.manifest = read_json(self.files["manifest.json"])
        need(self.manifest["form"] == "xiangwang evidence pack 1", "manifest")
        self.network = bytes.fromhex(self.manifest["network"])
        self.say(network in (None, self.manifest["network"]), "other-network", "")

    def say(self, holds, code, place):
        if not holds:
            self.found.append([code, str(place)])
        return holds

    def tried(self, code, place, work):
        """What the work gives, or a finding and None."""
        try:
            return work()
        except (Refused, KeyError, ValueError, IndexError) as fault:
            self.found.append([code, f"{place}: {fault}"])
            return None

    def judge(self):
        self.check_files()
        editions = [self.tried("edition", name, lambda: read_edition(self.files[name])) for name in self.named("roster/")]
        need(editions and editions[0], "no founding edition")
        self.roster = Roster([one for one in editions if one])
        for edition, why in self.roster.refused:
            self.say(False, "edition", f"{edition['id'].hex()}: {why}")
        told = [self.manifest[name] for name in ("network", "roster", "roster_number", "rules")]
        own = [self.roster.network.hex(), self.roster.state.hex(), self.roster.number, self.roster.rules]
        self.say(told == own, "roster", "manifest")
        by = bytes.fromhex(self.manifest["by"])
        self.say(self.roster.division(by) is not None and by not in self.roster.facts.cuts, "maker", by.hex())
        self.whole = {self.space(s["space"]): s["whole"] for s in self.manifest["spaces"]}
        named = self.manifest["scope"]["kind"] == "records"
        for space, whole in self.whole.items():
            self.say(whole or named, "space-not-whole", space)
        self.read_entries()
        self.pins = {}
        for space in self.whole:
            self.gather_pins(space)
        self.check_logs()
        self.check_extracts()
        self.check_named()
        bodies = self.check_bodies()
        self.check_records()
        self.check_completeness()
        return {"entries": len(self.entries), "bodies": bodies, "logs": len(self.logs), "editions": len(editions),
                "proofs": self.proofs, "findings": self.found}

    def named(self, start):
        return [name for name in self.files if name.startswith(start)]

    @staticmethod
    def space(space):
        return int(space["division"]), space["audience"]

    def check_files(self):
        def sign():
            payload, key = open_statement(self.files["manifest.cose"])
            need(payload == self.files["manifest.json"] and key.hex() == self.manifest["by"], "other bytes or key")
        self.tried("manifest-signature", "manifest.cose", sign)
        listed = [(f["name"], f["bytes"], f["sha256"]) for f in self.manifest["files"]]
        held = [(name, len(data), hashlib.sha256(data).hexdigest())
                for name, data in self.files.items() if not name.startswith("manifest.")]
        for name, *_ in set(listed) ^ set(held):
            self.say(False, "file", name)
        self.say(len(listed) == len(held), "file", "count")

    def read_entries(self):
        """All entries, their logs by number, and who writes where."""
        self.entries, self.logs, self.order = {}, {}, {}
        for name in self.named("entries/"):
            log = bytes.fromhex(name.split("/")[1])
            def chunk():
                r = Cbor(self.files[name])
                envelopes = r.many(1024, lambda: r.bytes(ENVELOPE_MAX))
                r.end()
                return envelopes
            for envelope in self.tried("entries", name, chunk) or []:
                def entry():
                    core = read_entry(envelope)
                    verify_entry(core, self.network)
                    need(core["log"] == log and core["id"] not in self.entries, "misplaced")
                    return core
                core = self.tried("entry", name, entry)
                if core:
                    self.entries[core["id"]] = core
                    self.order.setdefault(log, []).append(core)
                    if core["statement"] == "open":
                        self.logs.setdefault(log, (core["opener"], self.opening_space(core)))
        for listed in self.manifest["logs"]:
            log = bytes.fromhex(listed["log"])
            known = self.logs.get(log)
            same = known and (known[0].hex(), known[1]) == (listed["node"], self.space(listed["space"]))
            self.say(same and listed["entries"] == len(self.order[log]), "log", log.hex())
            self.say(self.space(listed["space"]) in self.whole, "space", log.hex())
        self.say(len(self.order) == len(self.manifest["logs"]), "log", "count")

    @staticmethod
    def opening_space(core):
        return core["division"], AUDIENCES[core["audience"]]

    def gather_pins(self, space):
        """By log: (size, root, head, rank, witness, time) of pins by those who stand above its author."""
        for core in self.entries.values():
            if core["statement"] != "witness" or self.logs.get(core["log"], (0, 0))[1] != space:
                continue
            for log, size, head, root, time, _ in core["pins"]:
                node, where = self.logs.get(log, (None, None))
                if where != space:
                    self.say(not self.whole[space], "pinned-missing", log.hex())
                    continue
                rank = self.roster.rank(core["node"], node)
                if rank:
                    self.pins.setdefault(log, []).append((size, root, head, rank, core["node"], time))

    def check_logs(self):
        """Whole logs: every entry on the one before, the root over all before, the ends as listed."""
        for listed in self.manifest["logs"]:
            log = bytes.fromhex(listed["log"])
            if log not in self.logs or not self.whole.get(self.logs[log][1]):
                continue
            node, paths, slots = self.logs[log][0], {}, {}
            for core in self.order[log]:
                slots.setdefault(core["sequence"], []).append(core["id"])
                def place():
                    before = paths[core["previous"]] if core["sequence"] else Peaks()
                    need(core["node"] == node and before.size == core["sequence"], "order")
                    need(core["root"] == before.root(), "root")
                    paths[core["id"]] = before.grown(core["id"])
                self.tried("chain", core["id"].hex(), place)
            inner = {core["previous"] for core in self.order[log]}
            tips = sorted([core["sequence"], core["id"].hex()] for core in self.order[log] if core["id"] not in inner)
            self.say(tips == listed["tips"], "log-ends", log.hex())
            for number, ids in slots.items():
                self.say(len(ids) == 1, "fork", f"{log.hex()} {number}")
            for size, root, head, *_ in self.pins.get(log, []):
                held = paths.get(head)
                if self.say(held is not None and held.size == size, "pinned-missing", f"{log.hex()} {size}"):
                    self.say(held.root() == root, "pin-root", f"{log.hex()} {size}")

    def check_extracts(self):
        self.proofs = 0
        for log, (node, space) in self.logs.items():
            if self.whole.get(space):
                continue
            plain = self.roster.division(node) and node not in self.roster.facts.cuts and log not in self.roster.decided
            numbers = [core["sequence"] for core in self.order[log]]
            self.say(plain and len(set(numbers)) == len(numbers), "extract-of-broken", log.hex())
            told = [core for core in self.order[log] if core["statement"] in ("change", "erase", "erased")]
            if not told:
                continue
            for core in self.order[log]:
                self.say(core["node"] == node, "entry", core["id"].hex())
            roots = dict(sorted((size, root) for size, root, *_ in self.pins.get(log, [])))
            self.say(all(roots[size] == root for size, root, *_ in self.pins.get(log, [])), "contradiction", log.hex())
            sizes = list(roots)
            for old, new in zip(sizes, sizes[1:]):
                name = f"proofs/{log.hex()}-{old}-{new}.consistency"
                def grown():
                    number, path, note = read_consistency(self.files[name].decode(), self.network)
                    need(number == old and note[:3] == (log, new, roots[new]), "another checkpoint")
                    check_consistency(old, roots[old], new, roots[new], path)
                    self.check_note(log, note)
                self.tried("proof", name, grown)
            for core in told:
                if sizes and core["sequence"] < sizes[-1]:
                    name = f"proofs/{core['id'].hex()}.tlog-proof"
                    def included():
                        index, path, note = read_inclusion(self.files[name].decode(), self.network)
                        need((index, *note[:3]) == (core["sequence"], log, sizes[-1], roots[sizes[-1]]), "another place")
                        check_inclusion(core["id"], index, note[1], note[2], path)
                        self.check_note(log, note)
                    self.tried("proof", name, included)

    def check_named(self):
        """What an entry says that its author had seen, or that its log succeeds, must be in the pack."""
        for core in self.entries.values():
            whole = self.whole.get(self.logs.get(core["log"], (None, None))[1])
            seen = core["seen"] if whole or "record" in core else None
            for named in (seen, core.get("successor")):
                self.say(named is None or named in self.entries, "named-missing", core["id"].hex())

    def check_note(self, log, note):
        """A witness who pinned this checkpoint must have co-signed the note."""
        witnesses = {pin[4] for pin in self.pins[log] if pin[:2] == note[1:3]}
        times = [witness_time(self.network, note, witness) for witness in witnesses]
        need(any(time is not None for time in times), "no witness")
        self.proofs += 1

    def check_bodies(self):
        count = 0
        for name in [name for name in self.named("records/") if name.endswith(".bodies")]:
            def read():
                r = Cbor(self.files[name])
                def one():
                    r.array_of(2)
                    return r.fixed(), r.bytes(16 + CHANGE_MAX)
                bodies = r.many(65_536, one)
                r.end()
                ids = [entry for entry, _ in bodies]
                need(ids == sorted(set(ids)), "order")
                return bodies
            for entry, body in self.tried("bodies", name, read) or []:
                self.tried("body", entry.hex(), lambda: check_body(self.entries[entry], body))
                count += 1
        return count

    def check_records(self):
        """The readable records name their entries; what they amount to is not judged here."""
        from id_reader import record_text
        told, known = set(), {}
        for core in self.entries.values():
            if "record" in core and core["log"] in self.logs:
                place = *self.logs[core["log"]][1], record_text(core["record"])
                known.setdefault(place, set()).add(core["id"].hex())
        for name in [name for name in self.named("records/") if name.endswith(".json")]:
            for record in self.tried("records", name, lambda: read_json(self.files[name])) or []:
                place = int(record["division"]), record["audience"], record["record"]
                listed = {entry["entry"] for entry in record["entries"]}
                self.say(place not in told and listed == known.get(place), "record", place[2])
                told.add(place)
        scope = self.manifest["scope"]
        if scope["kind"] == "records":
            wanted = {(*self.space(one["space"]), one["record"]) for one in scope["records"]}
            self.say(told == wanted, "record-missing", "scope")
        elif scope["kind"] == "division":
            wanted = {place for place in known if covers(int(scope["division"]), place[0])}
            self.say(told == wanted, "record-missing", "scope")
        self.say(len(told) == self.manifest["records"], "record-missing", "count")

    def check_completeness(self):
        if "completeness.cose" not in self.files:
            return
        def opened():
            payload, key = open_statement(self.files["completeness.cose"])
            need(payload == self.files["completeness.json"] and key.hex() == self.manifest["by"], "other bytes or key")
            return read_json(payload)
        statement = self.tried("statement", "completeness.cose", opened)
        if not statement:
            return
        question, scope = statement["question"], self.manifest["scope"]
        if scope["kind"] == "records":
            division, start, end = scope["records"][0]["space"]["division"], 0, self.manifest["made_ms"]
        else:
            division = scope["division"]
            start, end = scope.get("from_ms", 0), scope.get("to_ms", self.manifest["made_ms"])
        asked = [question[name] for name in ("division", "from_ms", "to_ms", "by", "now_ms")]
        self.say(asked == [division, start, end, self.manifest["by"], self.manifest["made_ms"]], "statement", "question")
        form = (statement["form"], statement["network"], statement["roster"])
        wanted = ("xiangwang completeness 1", self.manifest["network"], self.manifest["roster"])
        self.say(form == wanted, "statement", "form, network or roster")
        if not all(self.whole.values()) or scope["kind"] == "records":
            return
        made = self.tried("statement", "cannot be worked out", lambda: Statement(self, question).made())
        if made:
            members, reasons = made
            for name, value in members.items():
                self.say(statement[name] == value, "statement", name)
            told = [(reason["code"], reason["log"], reason["office"]) for reason in statement["reasons"]]
            self.say(told == reasons, "statement", f"reasons: {reasons}")

def main(path, network=None):
    with open(path, "rb") as file:
        data = file.read()
    try:
        report = Pack(data, network).judge()
    except (Refused, KeyError, ValueError, zlib.error) as fault:
        report = {"unreadable": str(fault), "findings": [["unreadable", str(fault)]]}
    print(json.dumps(report, ensure_ascii=False))
    return 1 if report["findings"] else 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
