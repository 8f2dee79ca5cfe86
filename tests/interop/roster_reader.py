"""What a set of editions amounts to: schemas/spec/roster.md; another part of second_reader.py."""
from edition_reader import read_edition
from second_reader import Refused, need, tagged

RANKS = ("root", "county", "township")
RIVALS, SIGNERS = 4, 16

def tier(division):
    return "county" if division % 10**6 == 0 else "township" if division % 1000 == 0 else "village"

def covers(above, below):
    unit = {"county": 10**6, "township": 1000, "village": 1}[tier(above)]
    return above // unit == below // unit

def own_roles(division, roles):
    """Those of some roles that are of the level of an office."""
    letter = {"county": "C", "township": "T", "village": "V"}.get(division and tier(division))
    return [role for role in roles if role[:1] == letter]

def roles_in(fact):
    """All roles that a fact gives."""
    given = fact.get("roles", []) + [role for _, roles in fact.get("people", []) for role in roles]
    return given + ([fact["role"]] if "role" in fact else [])

def brought(edition):
    """The keys of a joining edition."""
    replace = edition["facts"][0]
    return ([replace["node"]] if replace["node"] else []) + replace["people"]

def kinds(edition):
    """The keys of a joining edition, each with its kind."""
    replace = edition["facts"][0]
    return [(key, "node" if key == replace["node"] else "person") for key in brought(edition)]

def inviter(scope):
    """The office whose registrars speak in a scope; None for root."""
    return scope[1] if scope[0] == "registrar" else None

def replaced(edition):
    """In the place of which invitation a joining edition stands: key, who invites, to which office."""
    if edition["scope"][0] != "joining":
        return None
    return edition["scope"][1], edition["facts"][0]["by"], edition["facts"][0]["office"]

# The door
class Held:
    def __init__(self, founding, whole=False):
        """`whole`: a set that is whole, out of a store or a file: nobody's rivals are too many."""
        self.whole = whole
        need(founding["scope"] == ("root",) and founding["number"] == 1, "Gap")
        need(any(fact["fact"] == "root" for fact in founding["facts"]), "NoRoot")
        self.founding, self.editions = founding, {}
        RootFacts([founding])
        self.editions[founding["id"]] = founding

    def facts(self, name):
        for edition in self.editions.values():
            yield from (fact for fact in edition["facts"] if fact["fact"] == name)

    def of_scope(self, scope):
        return [edition for edition in self.editions.values() if edition["scope"] == scope]

    def chain(self, scope, number, identity):
        """The editions of a scope from number 1 to this one, or None."""
        found = []
        while number > 0:
            edition = self.editions.get(identity)
            if edition is None or (edition["scope"], edition["number"]) != (scope, number):
                return None
            found.insert(0, edition)
            number, identity = number - 1, edition["previous"]
        return found

    def add(self, edition):
        known = self.editions.get(edition["id"])
        if known:
            if known["scope"][0] == "registrar":
                need(set(edition["signers"]) <= set(known["signers"]) | self.ever(edition), "Stranger")
                known["signers"] = sorted(set(known["signers"]) | set(edition["signers"]))[:SIGNERS]
            return
        need(edition["network"] == self.founding["network"], "OtherNetwork")
        weigh = getattr(self, "admit_" + edition["scope"][0])(edition)
        rivals = [e for e in self.of_scope(edition["scope"])
                  if (e["number"], e["previous"]) == (edition["number"], edition["previous"])
                  and replaced(e) == replaced(edition)]
        if edition["scope"][0] == "joining" and self.is_listed(edition):
            alike = [e for e in rivals if set(brought(e)) == set(brought(edition))]
            rivals = rivals if len(alike) >= RIVALS else []
        room = any(sum(key in e["signers"] for e in rivals) < RIVALS for key in set(edition["signers"]) & weigh)
        need(self.whole or room or self.named(edition), "EnoughRivals")
        self.editions[edition["id"]] = edition

    def named(self, edition):
        """Whether a superior's word rests on a registrar's edition."""
        following = edition["scope"], edition["number"] + 1, edition["id"]
        return edition["scope"][0] == "registrar" and (
            any(fact["closes"] and fact["closes"][1] == edition["id"] for fact in self.facts("registrar"))
            or any((e["scope"], e["number"], e["previous"]) == following for e in self.editions.values()))

    # Each says whose signatures weigh.
    def admit_root(self, edition):
        before = self.chain(("root",), edition["number"] - 1, edition["previous"]) if edition["number"] > 1 else None
        need(before, "Gap")
        facts = RootFacts(before)
        earlier = facts.roots
        facts.extend(edition)
        return set(earlier) | set(facts.roots)

    def admit_registrar(self, edition):
        signers, ever = set(edition["signers"]), self.ever(edition)
        enough = (len(self.listed(edition, f["role"]) & signers) >= f["threshold"] for f in self.delegations(edition))
        need(any(enough) and signers <= ever, "Stranger")
        before = self.editions.get(edition["previous"])
        follows = before and (before["scope"], before["number"]) == (edition["scope"], edition["number"] - 1)
        need(edition["number"] == 1 or follows or self.named(edition), "Gap")
        way = self.chain(edition["scope"], edition["number"] - 1, edition["previous"]) or []
        return {key for key in signers if not any(self.signed_twice(key, before) for before in way)}

    def signed_twice(self, key, edition):
        """Whether a key has signed two editions at the place of this one."""
        place = edition["scope"], edition["number"], edition["previous"]
        return sum(key in e["signers"] for e in self.editions.values()
                   if (e["scope"], e["number"], e["previous"]) == place) > 1

    def superiors(self, office):
        """The editions of root and of the offices above one, by any root edition held."""
        places = {}
        for edition in self.of_scope(("root",)):
            for fact in edition["facts"]:
                if fact["fact"] == "office":
                    places.setdefault(fact["office"], set()).add(fact["division"])
        def above(other):
            return any(a != b and covers(a, b) for a in places.get(other, ()) for b in places.get(office, ()))
        return [e for e in self.editions.values()
                if e["scope"][0] == "root" or e["scope"][0] == "registrar" and above(e["scope"][1])]

    def delegations(self, edition):
        _, office, term = edition["scope"]
        return [f for e in self.superiors(office) for f in e["facts"]
                if f["fact"] == "registrar" and (f["office"], f["term"]) == (office, term)]

    def ever(self, edition):
        """Whoever may ever have signed in a registrar's scope."""
        return set().union(*(self.listed(edition, fact["role"]) for fact in self.delegations(edition)))

    def listed(self, edition, role):
        """Whom superiors ever listed as a person of the office with a role, or invited to be one."""
        office = edition["scope"][1]
        facts = [(fact, superior["scope"]) for superior in self.superiors(office) for fact in superior["facts"]]
        people = {f["key"] for f, _ in facts if f["fact"] == "signer"
                  and (f["kind"], f["office"]) == ("person", office) and role in f["roles"]}
        for invite, scope in facts:
            if invite["fact"] == "invite" and invite["office"] == office:
                for joining in self.joinings((invite["key"], inviter(scope), office)):
                    invited = zip(joining["facts"][0]["people"], invite["people"])
                    people |= {key for key, (_, roles) in invited if role in roles}
        return people

    def joinings(self, invitation):
        """The joining editions held in the place of an invitation."""
        return [e for e in self.of_scope(("joining", invitation[0])) if replaced(e) == invitation]

    def is_listed(self, joining):
        """Whether editions held list every key of a joining at its office."""
        listed = {(f["key"], f["kind"], f["office"]) for f in self.facts("signer")}
        return all((*one, joining["facts"][0]["office"]) in listed for one in kinds(joining))

    def admit_joining(self, edition):
        key = edition["scope"][1]
        invited = {(fact["key"], inviter(e["scope"]), fact["office"])
                   for e in self.editions.values() for fact in e["facts"] if fact["fact"] == "invite"}
        need(replaced(edition) in invited, "Gap")
        need(sorted(brought(edition) + [key]) == edition["signers"], "Threshold")
        return {key}

# Root
class RootFacts:
    """The facts of a chain of root editions."""
    def __init__(self, chain):
        self.head, self.number, self.rules, self.threshold, self.roots = bytes(32), 0, 1, 0, []
        self.offices, self.signers, self.cuts, self.delegations, self.invitations = {}, {}, {}, {}, {}
        self.current, self.definitions, self.adjudicated, self.adopted = {}, {}, {}, {}
        for fact in chain[0]["facts"]:
            if fact["fact"] == "root":
                self.threshold, self.roots = fact["threshold"], fact["keys"]
        for edition in chain:
            self.extend(edition)

    def signed(self, edition):
        need(len(set(self.roots) & set(edition["signers"])) >= self.threshold, "Threshold")

    def extend(self, edition):
        self.signed(edition)
        for fact in edition["facts"]:
            getattr(self, "take_" + fact["fact"], lambda fact: None)(fact)
        self.signed(edition)
        self.head, self.number = edition["id"], edition["number"]

    def take_root(self, fact):
        self.threshold, self.roots = fact["threshold"], fact["keys"]

    def take_rules(self, fact):
        self.rules = fact["version"]

    def take_office(self, fact):
        there = self.offices.get(fact["office"], fact["division"])
        need(there == fact["division"], "Contradiction")
        self.offices[fact["office"]] = fact["division"]

    def take_signer(self, fact):
        known = self.signers.get(fact["key"], fact)
        need((known["kind"], known["office"]) == (fact["kind"], fact["office"]), "Contradiction")
        need(fact["office"] in self.offices, "Contradiction")
        self.say(fact, "root")

    def say(self, fact, rank):
        """Gives a key a name, a rank and roles beside those it has."""
        known = self.signers.get(fact["key"], {"roles": []})["roles"]
        fact = self.levelled(fact)
        more = list(dict.fromkeys(known + fact["roles"]))
        self.signers[fact["key"]] = {**fact, "roles": more, "rank": rank}

    def take_cut(self, fact):
        self.cuts[fact["key"]] = {"exact": True, "kept": fact["kept"]}

    def take_schema(self, fact):
        self.current[fact["type"]] = fact["definition"]
        self.definitions[fact["definition"]] = fact["type"]

    def take_registrar(self, fact):
        need(fact["office"] in self.offices, "Contradiction")
        self.delegations.setdefault(fact["office"], {})[fact["term"]] = fact

    def take_invite(self, fact):
        invitation = fact["key"], None, fact["office"]
        need(fact["office"] in self.offices and invitation not in self.invitations, "Contradiction")
        self.invite(fact, None, "root")

    def invite(self, fact, by, rank):
        self.invitations[fact["key"], by, fact["office"]] = {
            **self.levelled(fact), "by": by, "rank": rank, "replaced": None, "withdrawn": False, "confirmed": False}

    def own_roles(self, fact, roles):
        return own_roles(self.offices.get(fact["office"]), roles)

    def levelled(self, fact):
        """A fact with those of its roles that count."""
        if fact["fact"] == "signer":
            return {**fact, "roles": self.own_roles(fact, fact["roles"])}
        return {**fact, "people": [(name, self.own_roles(fact, roles)) for name, roles in fact["people"]]}

    def take_adjudicate(self, fact):
        self.adjudicated[fact["log"]] = fact["number"], fact["entry"]

    def take_adopt(self, fact):
        self.adopted[fact["log"], fact["entry"]] = fact["number"]

def leading(held):
    """The root editions that lead, whether the roster is frozen, and the others."""
    roots = held.of_scope(("root",))
    paths = []
    def walk(path):
        after = [e for e in roots if e["number"] > 1 and e["previous"] == path[-1]["id"]]
        for edition in after:
            walk(path + [edition])
        if not after:
            paths.append(path)
    walk([held.founding])

    def rejects(path, rival):
        own = [e for e in path if e not in rival]
        parted = [e for e in rival if e not in path]
        named = {one for e in own for f in e["facts"] if f["fact"] == "recover" for one in f["rejected"]}
        recovering = [e for e in parted if any(f["fact"] == "recover" for f in e["facts"])]
        key = recovering[-1:] or parted[:1]
        return any(e["id"] in named for e in key)

    left = [path for path in paths if not any(rejects(other, path) for other in paths)]
    frozen = len(left) != 1
    left = left or paths
    path = [e for e in left[0] if all(e in other for other in left)]
    return path, frozen, [e for e in roots if e not in path]

# In order of authority
class Evaluation:
    def __init__(self, held):
        self.held = held
        path, self.frozen, others = leading(held)
        self.facts = RootFacts(path)
        self.passed = {(e["id"], "-", "Rival") for e in others}
        self.counted = [e["id"] for e in path]
        self.claims, self.joined, self.invites, self.changes, self.suspended = [], set(), [], [], {}
        places = {}
        for edition in held.editions.values():
            if edition["scope"][0] == "joining":
                invitation = replaced(edition)
                if len(held.joinings(invitation)) < RIVALS or held.is_listed(edition):
                    for key in brought(edition):
                        places.setdefault(key, set()).add(invitation)
        self.shared = {key for key, invitations in places.items() if len(invitations) > 1}
        for edition in path:
            for at, fact in enumerate(edition["facts"]):
                self.note_levels(fact, (edition["id"], str(at)))
        self.newcomers("root")
        for rank in RANKS[1:]:
            offices = [o for o in sorted(self.facts.delegations) if tier(self.facts.offices.get(o, 1)) == rank]
            for office in offices:
                self.hear(office, rank)
            self.settle_invitations()
            self.newcomers(rank)
            self.settle_changes()
        for place, *_ in self.changes:
            self.passed.add((*place, "NotItsMatter"))
        for edition in held.editions.values():
            if edition["scope"][0] == "joining" and replaced(edition) not in self.joined:
                self.passed.add((edition["id"], "-", "BadReplacement"))
        for key, invite in self.facts.invitations.items():
            invite["withdrawn"] = invite["replaced"] is None and self.is_withdrawn(key)
        self.suspended = self.suspend()
        cuts = self.facts.cuts
        for _, office, key, kept, place in sorted(self.claims, key=lambda c: (RANKS.index(c[0]), c[1])):
            invited = [i for (of, *_), i in self.facts.invitations.items()
                       if of == key and self.is_below(office, i["office"])]
            if self.is_above(office, key) and key not in cuts:
                cuts[key] = {"exact": False, "kept": kept}
            elif not any(invite["withdrawn"] for invite in invited):
                late = self.is_above(office, key) or invited
                self.passed.add((*place, "Outranked" if late else "OutsidePrefix"))
        settled = {identity for identity, at, _ in self.passed if at == "-"} | set(self.counted)
        self.passed |= {(identity, "-", "Unsigned") for identity in held.editions if identity not in settled}

    def note_levels(self, fact, place):
        if fact["fact"] in ("signer", "invite", "registrar"):
            given = roles_in(fact)
            if self.facts.own_roles(fact, given) != given:
                self.passed.add((*place, "OtherLevel"))

    def is_below(self, above, below):
        above, below = self.facts.offices.get(above), self.facts.offices.get(below)
        return above is not None and below is not None and above != below and covers(above, below)

    def is_above(self, office, key):
        of = self.facts.signers.get(key) or self.suspended.get(key)
        return of is not None and self.is_below(office, of["office"])

    def is_cut(self, key):
        return key in self.facts.cuts or any(cut == key and self.is_above(by, key) for _, by, cut, _, _ in self.claims)

    def is_withdrawn(self, invitation):
        key, _, office = invitation
        return key in self.facts.cuts or any(cut == key and self.is_below(by, office) for _, by, cut, _, _ in self.claims)

    def hear(self, office, rank):
        terms = dict(self.facts.delegations[office])
        for term in sorted(terms):
            scope = "registrar", office, term
            later = [number for number in sorted(terms) if number > term]
            if later:
                stays = self.closed(scope, terms[later[0]]["closes"], terms[term])
            else:
                stays = self.open(scope, terms[term])
            for edition in stays:
                self.counted.append(edition["id"])
                for at, fact in enumerate(edition["facts"]):
                    try:
                        self.take(fact, office, rank, (edition["id"], str(at)))
                    except Refused as why:
                        self.passed.add((edition["id"], str(at), str(why)))

    def enough(self, edition, office, delegation, is_open):
        def counts(key):
            signer = self.facts.signers.get(key)
            return (signer and (signer["kind"], signer["office"]) == ("person", office)
                    and delegation["role"] in signer["roles"] and not (is_open and self.is_cut(key)))
        return sum(map(bool, map(counts, edition["signers"]))) >= delegation["threshold"]

    def closed(self, scope, closes, delegation):
        chain = (closes and self.held.chain(scope, *closes)) or []
        sound = [self.enough(edition, scope[1], delegation, False) for edition in chain] + [False]
        stays = chain[:sound.index(False)]
        self.passed |= {(e["id"], "-", "Closed") for e in self.held.of_scope(scope) if e not in stays}
        return stays

    def open(self, scope, delegation):
        stays, rivals = [], False
        while True:
            place = len(stays) + 1, stays[-1]["id"] if stays else bytes(32)
            following = [e for e in self.held.of_scope(scope) if (e["number"], e["previous"]) == place
                         and self.enough(e, scope[1], delegation, True)]
            if len(following) != 1:
                rivals = len(following) > 1
                break
            stays += following
        for edition in self.held.of_scope(scope):
            if edition not in stays:
                why = "Rival" if rivals and edition["number"] > len(stays) else "Unsigned"
                self.passed.add((edition["id"], "-", why))
        return stays

    def take(self, fact, office, rank, place):
        kind, facts = fact["fact"], self.facts
        need(kind in ("signer", "cut", "registrar", "invite"), "NotItsMatter")
        if kind == "cut":
            need(not any((by, cut) == (office, fact["key"]) for _, by, cut, _, _ in self.claims), "Outranked")
            self.claims.append((rank, office, fact["key"], fact["kept"], place))
            return
        need(self.is_below(office, fact["office"]), "OutsidePrefix")
        if kind == "signer":
            self.changes.append((place, fact, rank, office))
        elif kind == "registrar":
            terms = facts.delegations.setdefault(fact["office"], {})
            need(all(term < fact["term"] for term in terms), "Outranked")
            terms[fact["term"]] = fact
            self.note_levels(fact, place)
        else:
            self.invites.append((place, fact, rank, office))

    def settle_invitations(self):
        invites, self.invites = self.invites, []
        for place, fact, rank, by in invites:
            if (fact["key"], by, fact["office"]) in self.facts.invitations:
                self.passed.add((*place, "Outranked"))
            else:
                self.note_levels(fact, place)
                self.facts.invite(fact, by, rank)

    def settle_changes(self):
        changes, self.changes = self.changes, []
        for place, fact, rank, by in changes:
            known = self.facts.signers.get(fact["key"])
            if known is None:
                self.changes.append((place, fact, rank, by))
                continue
            same = (known["kind"], known["office"]) == (fact["kind"], fact["office"])
            if not same or RANKS.index(known["rank"]) < RANKS.index(rank):
                self.passed.add((*place, "Outranked"))
                continue
            self.note_levels(fact, place)
            self.facts.say(fact, rank)

    def newcomers(self, rank):
        unconfirmed = []
        for key in sorted((k for k, invite in self.facts.invitations.items() if invite["rank"] == rank), key=ascending):
            invite, editions = self.facts.invitations[key], self.held.joinings(key)
            self.joined.add(key)
            shaped = [e for e in editions if self.has_shape(invite, e)]
            confirmed = [(self.confirmed_at(invite, e), e) for e in shaped]
            confirmed = [(at, e) for at, e in confirmed if at is not None]
            if not confirmed:
                unconfirmed.append((key, invite, editions, shaped))
                continue
            first = min(at for at, _ in confirmed)
            first = [e for at, e in confirmed if at == first]
            counts = first[0] if len(first) == 1 and self.may_come(invite, first[0]) else None
            invite["confirmed"] = counts is not None
            self.settle_joining(invite, editions, counts, shaped)
        for key, invite, editions, shaped in unconfirmed:
            burnt, withdrawn = len(editions) >= RIVALS, self.is_withdrawn(key)
            fitting = [e for e in shaped if not withdrawn and not set(brought(e)) & (self.shared | self.facts.signers.keys())]
            counts = fitting[0] if len(fitting) == 1 and not burnt else None
            self.settle_joining(invite, editions, counts, editions if burnt else fitting)

    def settle_joining(self, invite, editions, counts, rivals):
        for edition in editions:
            if edition is not counts:
                self.passed.add((edition["id"], "-", "Rival" if edition in rivals else "BadReplacement"))
        if counts:
            self.replace(invite, counts)

    def has_shape(self, invite, edition):
        replace = edition["facts"][0]
        return ((replace["node"] is None) == (invite["node"] is None)
                and len(replace["people"]) == len(invite["people"]))

    def is_listed_by_root(self, invite, key, kind):
        signer = self.facts.signers.get(key)
        return signer and (signer["rank"], signer["office"], signer["kind"]) == ("root", invite["office"], kind)

    def confirmed_at(self, invite, edition):
        """The place, in what has been heard, of the fact by which all keys are listed; None while they are not."""
        def place(key, kind):
            if self.is_listed_by_root(invite, key, kind):
                return 0
            for at, (_, fact, rank, by) in enumerate(self.changes, 1):
                speaks = by == invite["by"] or RANKS.index(rank) < RANKS.index(invite["rank"])
                if speaks and (fact["key"], fact["kind"], fact["office"]) == (key, kind, invite["office"]):
                    return at
        places = [place(*one) for one in kinds(edition)]
        return None if None in places else max(places)

    def may_come(self, invite, edition):
        return all(key not in self.facts.signers or self.is_listed_by_root(invite, key, kind)
                   for key, kind in kinds(edition))

    def replace(self, invite, edition):
        invite["replaced"] = edition["id"]
        replace = edition["facts"][0]
        new = [(replace["node"], "node", invite["node"], [])] if replace["node"] else []
        new += [(key, "person", *person) for key, person in zip(replace["people"], invite["people"])]
        for key, kind, name, roles in new:
            self.facts.signers.setdefault(key, {"kind": kind, "office": invite["office"], "name": name,
                                                "roles": roles, "rank": invite["rank"]})
        self.counted.append(edition["id"])

    def suspend(self):
        """Keys that are not on the roster and that editions held have brought to one office."""
        facts, places, given = self.facts, {}, {}
        def speaks(by, office):
            return by is None or self.is_below(by, office)
        for edition in self.held.editions.values():
            if edition["scope"] == ("root",):
                new = [(f["key"], f["kind"], f["office"]) for f in edition["facts"] if f["fact"] == "signer"]
            elif edition["scope"][0] == "joining" and speaks(*replaced(edition)[1:]):
                new = [(*one, replaced(edition)[2]) for one in kinds(edition)]
            else:
                new = []
            for key, kind, office in new:
                if key not in facts.signers and office in facts.offices:
                    places.setdefault(key, set()).add((kind, office))
        for edition in self.held.editions.values():
            by = inviter(edition["scope"])
            for fact in edition["facts"]:
                if fact["fact"] not in ("signer", "invite") or not speaks(by, fact["office"]):
                    continue
                if fact["fact"] == "signer":
                    given.setdefault((fact["key"], fact["office"]), set()).update(fact["roles"])
                for joining in self.held.joinings((fact["key"], by, fact["office"])) if fact["fact"] == "invite" else []:
                    for key, (_, roles) in zip(joining["facts"][0]["people"], fact["people"]):
                        given.setdefault((key, fact["office"]), set()).update(roles)
        suspended = {}
        for key, where in places.items():
            if len(where) == 1:
                (kind, office), = where
                roles = own_roles(facts.offices[office], sorted(given.get((key, office), ())))
                suspended[key] = {"kind": kind, "office": office, "roles": roles if kind == "person" else []}
        return suspended

# What a vector asks for
def judge_roster(editions, orders):
    read = list(map(read_edition, editions))
    readings = [read_order([dict(read[place]) for place in order]) for order in orders]
    need(all(reading == readings[0] for reading in readings), "the order decides")
    return readings[0]

def read_order(editions):
    held = Held(editions[0])
    waiting, refused = editions[1:], {}
    while True:
        again = []
        for edition in waiting:
            try:
                held.add(edition)
            except Refused as why:
                again.append((edition, str(why)))
        if len(again) == len(waiting):
            break
        waiting = [edition for edition, _ in again]
    refused = sorted(f"{edition['id'].hex()} {why}" for edition, why in again)
    return describe(Evaluation(held), refused)

def ascending(invitation):
    """By key, then who invites, root first, then the office."""
    key, by, office = invitation
    return key, -1 if by is None else by, office

def point(log, number, entry):
    return f"{log.hex()}:{number}:{entry.hex()}"

def describe(found, refused):
    facts = found.facts
    live = [key for key, signer in facts.signers.items() if signer["kind"] == "node" and key not in facts.cuts]
    open_ = {key for (key, *_), i in facts.invitations.items() if i["replaced"] is None and not i["withdrawn"]}
    on_roster = facts.signers.keys() | {key for key, *_ in facts.invitations} | found.suspended.keys()
    delegations = [(o, t, f) for o, terms in sorted(facts.delegations.items()) for t, f in sorted(terms.items())]
    return {
        "counted": found.counted,
        "passed_over": sorted(f"{identity.hex()} {at} {why}" for identity, at, why in found.passed),
        "refused": refused,
        "roots": facts.roots,
        "live": sorted(live),
        "peers": sorted({*live, *open_}),
        "signers": [f"{key.hex()} {s['kind']} {s['office']} {s['rank']} {s['name']} [{','.join(s['roles'])}]"
                    for key, s in sorted(facts.signers.items())],
        "cuts": [f"{key.hex()} {'exact' if cut['exact'] else 'witnessed'} [{','.join(point(*one) for one in cut['kept'])}]"
                 for key, cut in sorted(facts.cuts.items()) if key in on_roster],
        "suspended": [f"{key.hex()} {s['kind']} {s['office']} [{','.join(s['roles'])}]"
                      for key, s in sorted(found.suspended.items())],
        "invitations": [f"{key[0].hex()} {'root' if key[1] is None else key[1]} {i['office']} {i['rank']} "
                        + ("withdrawn" if i["withdrawn"] else i["replaced"].hex() if i["replaced"] else "-")
                        + (" confirmed" if i["confirmed"] else "")
                        for key, i in sorted(facts.invitations.items(), key=lambda one: ascending(one[0]))],
        "delegations": [f"{o} {t} {f['threshold']} {f['role']} "
                        + (f"{f['closes'][0]}:{f['closes'][1].hex()}" if f["closes"] else "-")
                        for o, t, f in delegations],
        "decisions": [f"adjudicate {point(log, *at)}" for log, at in sorted(facts.adjudicated.items())]
                     + [f"adopt {point(log, number, entry)}" for (log, entry), number in sorted(facts.adopted.items())],
        "definitions": [f"{code} {one.hex()} new" for code, one in sorted(facts.current.items())]
                       + [f"{code} {one.hex()}" for one, code in sorted(facts.definitions.items())],
        "state": tagged("xw/roster-state/1", *found.counted),
        "head": facts.head, "number": facts.number, "rules": facts.rules, "threshold": facts.threshold,
        "frozen": int(found.frozen),
    }
