"""The statement of completeness worked out anew, from schemas/spec/evidence-pack.md and standing.md alone;
another part of pack_reader.py. Compares every member but the sentences and what the maker heard."""
from pack_shapes import AUDIENCES, Peaks, covers, tier_of

COUNTS = ("final", "witnessed", "local")
LATER = ("heard-before-the-end",)

class Log:
    """A log with all its branches."""
    def __init__(self, identity, node, space, cores):
        self.id, self.node, self.space = identity, node, space
        self.entries = {core["id"]: core for core in cores}
        self.slots = {}
        for core in cores:
            self.slots.setdefault(core["sequence"], []).append(core["id"])
        inner = {core["previous"] for core in cores if core["sequence"]}
        self.tips = sorted((core["sequence"], core["id"]) for core in cores if core["id"] not in inner)
        self.forks = [[number, sorted(one.hex() for one in ids)] for number, ids in sorted(self.slots.items())
                      if len(ids) > 1]
        self.pinned = {}

    def space_order(self):
        return self.space[0], AUDIENCES.index(self.space[1])

    def holds(self, number, entry):
        return entry in self.entries and self.entries[entry]["sequence"] == number

    def branch(self, point):
        """The entries from the opening to a point; None when it is not held."""
        number, entry = point
        if not self.holds(number, entry):
            return None
        path = [entry]
        while number:
            entry, number = self.entries[entry]["previous"], number - 1
            path.insert(0, entry)
        return path

    def raise_pin(self, rank, point):
        best = self.pinned.get(rank)
        if self.holds(*point) and (best is None or (-point[0], point[1]) < (-best[0], best[1])):
            self.pinned[rank] = point

    def standings(self, roster):
        """By entry, in the order of the page."""
        facts, cut = roster.facts, roster.facts.cuts.get(self.node)
        county, township = self.pinned.get("county"), self.pinned.get("township")
        listed_node, suspended = roster.division(self.node) is not None, self.node in roster.suspended
        if cut and (cut["exact"] or listed_node):
            kept = next(((number, entry) for log, number, entry in cut["kept"] if log == self.id), None)
            rest = "pending" if kept and not self.holds(*kept) else "void"
            finals = self.stem([None if cut["exact"] else county])
            whole = self.stem([None if cut["exact"] else county, kept])
            listed = "final" if cut["exact"] else "witnessed"
            found = {one: "final" if one in finals else listed if one in whole else rest for one in self.entries}
        elif not listed_node:
            finals = self.stem([county if suspended else None])
            found = {one: "final" if one in finals else "void" for one in self.entries}
        else:
            decided = facts.adjudicated.get(self.id)
            if decided and not self.holds(*decided):
                found = dict.fromkeys(self.entries, "pending")
            else:
                finals = self.stem([decided, county])
                whole = self.stem([decided, county, township])
                fork = self.forks[0][0] if self.forks else None
                def judge(core):
                    if core["id"] in finals:
                        return "final"
                    if core["id"] in whole:
                        return "witnessed"
                    return "disputed" if fork is not None and core["sequence"] >= fork else "local"
                found = {one: judge(core) for one, core in self.entries.items()}
        for (log, entry), number in facts.adopted.items():
            if log == self.id and self.holds(number, entry):
                found[entry] = "final"
        return found

    def stem(self, points):
        stem = []
        for point in points:
            branch = point and self.branch(point)
            if branch and branch[:len(stem)] == stem:
                stem = branch
        return set(stem)

class Statement:
    def __init__(self, pack, question):
        self.roster, self.question, self.entries = pack.roster, question, pack.entries
        self.asked = int(question["division"])
        self.logs = {}
        for log, (node, space) in pack.logs.items():
            if covers(self.asked, space[0]):
                self.logs[log] = Log(log, node, space, pack.order[log])
        self.pins = {}
        self.weigh()

    def weigh(self):
        """What stands in every log, those of counties first, and the pins that count."""
        order = sorted(self.logs.values(), key=lambda log: (tier_of(self.roster.writes_for(log.node)), log.id))
        for log in order:
            standings = log.standings(self.roster)
            for core in log.entries.values():
                if core["statement"] != "witness" or standings[core["id"]] not in COUNTS:
                    continue
                for target, size, head, _, time, _ in core["pins"]:
                    other = self.logs.get(target)
                    rank = other and self.roster.rank(log.node, other.node)
                    if not rank:
                        continue
                    other.raise_pin(rank, (size - 1, head))
                    if other.space == log.space:
                        self.pins.setdefault(target, []).append((size, rank, time, core["id"], log.node, head))

    def first_witness(self, log, core):
        """The earliest time of the county's pins that cover an entry, or of the township's where there is none."""
        times = {}
        for size, rank, time, _, _, head in self.pins.get(log.id, []):
            branch = log.branch((size - 1, head)) if log.forks else None
            if core["sequence"] < size and (not log.forks or branch and core["id"] in branch):
                times.setdefault(rank, []).append(time)
        return min(times.get("county") or times.get("township") or [], default=None)

    def inside(self, node_office):
        division = self.roster.facts.offices.get(node_office)
        return division is not None and covers(self.asked, division)

    def named_by_roster(self):
        facts, inside, named = self.roster.facts, set(), set()
        for key, cut in facts.cuts.items():
            signer = facts.signers.get(key)
            if not signer or signer["kind"] != "node":
                continue
            for log, number, entry in cut["kept"]:
                if self.inside(signer["office"]):
                    inside.add(log)
                if self.inside(signer["office"]) or log in self.logs:
                    named.add((log, number, entry))
        decided = [(log, *point) for log, point in facts.adjudicated.items()]
        decided += [(log, number, entry) for (log, entry), number in facts.adopted.items()]
        county = tier_of(self.asked) == 0
        return named | {one for one in decided if county or one[0] in inside or one[0] in self.logs}

    def missing(self):
        missing = {}
        def note(log, number, entry):
            missing.setdefault(log, set()).add((-1 if number is None else number, entry))
        held = {entry for log in self.logs.values() for entry in log.entries}
        for log, number, entry in self.named_by_roster():
            if log not in self.logs or not self.logs[log].holds(number, entry):
                note(log, number, entry)
        for log in self.logs.values():
            for core in log.entries.values():
                for one in (core["seen"], core.get("successor")):
                    if one and one not in held:
                        note(log.id, None, one)
                for target, size, head, *_ in core.get("pins", []):
                    if head not in held:
                        note(target, size - 1, head)
        return {log: [[None if number < 0 else number, entry.hex()] for number, entry in sorted(points)]
                for log, points in missing.items()}

    def state(self, log, missing):
        times = [core["time"] for core in log.entries.values()]
        start, end = self.question["from_ms"], self.question["to_ms"]
        def touched(core):
            first = self.first_witness(log, core)
            return start <= core["time"] < end or first is not None and start <= first * 1000 < end
        last, peaks = log.tips[-1], Peaks()
        for entry in log.branch(last):
            peaks = peaks.grown(entry)
        def receipt(rank):
            pins = [pin for pin in self.pins.get(log.id, []) if pin[1] == rank]
            if not pins:
                return None
            size, _, time, entry, witness, _ = max(pins)
            return {"witness": witness.hex(), "size": size, "time_s": time, "entry": entry.hex(),
                    "beyond": max(last[0] + 1 - size, 0)}
        return {
            "log": log.id.hex(), "node": log.node.hex(), "office": self.roster.name_of(log.node),
            "space": {"division": str(log.space[0]), "audience": log.space[1]}, "from": 0, "to": last[0],
            "tips": [[number, entry.hex()] for number, entry in log.tips], "root": peaks.root().hex(),
            "forks": log.forks, "missing": missing, "first_claimed_ms": min(times), "last_claimed_ms": max(times),
            "in_period": sum(map(touched, log.entries.values())), "cut": log.node in self.roster.facts.cuts,
            "township": receipt("township"), "county": receipt("county"),
        }

    def offices(self):
        found = []
        for key, signer in self.roster.facts.signers.items():
            division = self.roster.facts.offices.get(signer["office"])
            if signer["kind"] != "node" or not (covers(self.asked, division) or covers(division, self.asked)):
                continue
            own = key.hex() == self.question["by"]
            found.append({
                "office": signer["office"], "name": self.roster.name_of(key), "division": str(division),
                "node": key.hex(), "cut": key in self.roster.facts.cuts,
                "logs": sum(log.node == key for log in self.logs.values()),
                "heard_ms": self.question["now_ms"] if own else self.question["heard_ms"].get(key.hex()),
            })
        return sorted(found, key=lambda one: (int(one["division"]), one["office"], one["node"]))

    def records(self):
        places, counts = {}, {code: [True, 0, 0] for code in self.roster.facts.current}
        for log in self.logs.values():
            for core in log.entries.values():
                if "record" in core:
                    places.setdefault((log.space, core["record"]), []).append(core)
        for cores in places.values():
            changes = sorted((core["id"], core["type"]) for core in cores if core["statement"] == "change")
            if changes:
                count = counts.setdefault(changes[0][1], [False, 0, 0])
                count[1] += 1
                count[2] += len(cores)
        return {code: {"adopted": a, "records": r, "entries": e} for code, (a, r, e) in counts.items()}

    def reasons(self, states, lost, offices):
        """Code, log and office of each, in the order of the page's table."""
        question, facts, found = self.question, self.roster.facts, []
        by = bytes.fromhex(question["by"])
        own = self.roster.division(by)
        for holds, code in (
            (own is None or not covers(own, self.asked), "not-its-area"),
            (by in facts.cuts, "asker-cut"),
            (self.roster.frozen, "roster-frozen"),
            (question["to_ms"] > question["now_ms"], "not-over"),
        ):
            if holds:
                found.append((code, None, None))
        for state in states:
            log = bytes.fromhex(state["log"])
            found += [("fork", state["log"], None)] * len(state["forks"])
            found += [("entry-missing", state["log"], None)] * len(state["missing"])
            standings = self.logs[log].standings(self.roster)
            if any(standings[entry] == "pending" for _, entry in self.logs[log].tips):
                found.append(("cut-pending", state["log"], None))
        found += [("log-missing", log.hex(), None) for log in sorted(lost)]
        for office in offices:
            if office["cut"]:
                continue
            heard = office["heard_ms"]
            if heard is None and not office["logs"]:
                found.append(("no-log", None, office["office"]))
            if heard is None:
                found.append(("never-heard", None, office["office"]))
            elif heard < question["to_ms"]:
                found.append(("heard-before-the-end", None, office["office"]))
        return found

    def made(self):
        missing = self.missing()
        order = sorted(self.logs.values(), key=lambda log: (*log.space_order(), log.id))
        states = [self.state(log, missing.get(log.id, [])) for log in order]
        offices = self.offices()
        reasons = self.reasons(states, missing.keys() - self.logs.keys(), offices)
        heard = [office["heard_ms"] for office in offices if not office["cut"]]
        barred = None in heard or any(code not in LATER for code, *_ in reasons)
        return {
            "logs": states, "offices": offices, "records": self.records(), "complete": not reasons,
            "complete_up_to_ms": None if barred else min(heard, default=self.question["now_ms"]),
        }, reasons
