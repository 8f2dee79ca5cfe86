"""Divisions, the roster and trees as packs use them; another part of pack_reader.py."""
import hashlib

from proof_reader import parent
from roster_reader import Evaluation, Held
from second_reader import Refused, root_of, tagged

COUNTY, TOWNSHIP = 10**6, 10**3
AUDIENCES = ("office", "township", "county")

def tier_of(division):
    """0 for a county, 1 for a township, 2 for a village or for nobody."""
    if division is None:
        return 2
    return 0 if division % COUNTY == 0 else 1 if division % TOWNSHIP == 0 else 2

def covers(division, other):
    unit = (COUNTY, TOWNSHIP, 1)[tier_of(division)]
    return division // unit == other // unit

class Roster:
    """What the editions amount to by roster.md: thresholds, delegations, invitations and cuts included."""
    def __init__(self, editions):
        held, waiting = Held(editions[0], whole=True), editions[1:]
        while True:
            self.refused = []
            for edition in waiting:
                try:
                    held.add(edition)
                except Refused as why:
                    self.refused.append((edition, str(why)))
            if len(self.refused) == len(waiting):
                break
            waiting = [edition for edition, _ in self.refused]
        found = Evaluation(held)
        self.facts, self.frozen = found.facts, found.frozen
        self.suspended = {key: s for key, s in found.suspended.items() if s["kind"] == "node"}
        self.network, self.number, self.rules = editions[0]["id"], found.facts.number, found.facts.rules
        self.state = tagged("xw/roster-state/1", *found.counted)
        self.names = {}
        for identity in found.counted:
            for fact in held.editions[identity]["facts"]:
                if fact["fact"] == "office":
                    self.names[fact["office"]] = fact["name"]
        self.decided = set(self.facts.adjudicated) | {log for log, _ in self.facts.adopted}

    def office(self, node):
        signer = self.facts.signers.get(node)
        return signer["office"] if signer and signer["kind"] == "node" else None

    def division(self, node):
        return self.facts.offices.get(self.office(node))

    def writes_for(self, node):
        """Where what stands of a node's log was written: also of a key that is suspended."""
        at = self.suspended.get(node)
        return self.division(node) if at is None else self.facts.offices.get(at["office"])

    def name_of(self, node):
        return self.names.get(self.office(node))

    def rank(self, witness, author):
        """`county` or `township`, where the witness stands above the author."""
        above, below = self.writes_for(witness), self.writes_for(author)
        if above is None or below is None or tier_of(above) >= tier_of(below) or not covers(above, below):
            return None
        return ("county", "township")[tier_of(above)]

class Peaks:
    """The right edge of a tree: enough to grow it and to know its root."""
    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, peaks

    def grown(self, leaf):
        node, peaks, size = hashlib.sha256(b"\0" + leaf).digest(), list(self.peaks), self.size
        while size & 1:
            node, size = parent(peaks.pop(), node), size >> 1
        return Peaks(self.size + 1, (*peaks, node))

    def root(self):
        if not self.peaks:
            return root_of([])
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = parent(peak, root)
        return root
