//! What stays when a registrar's contradiction takes keys off the roster: what the county has pinned,
//! and of their persons' signatures those on it; nothing new.

use xw_ledger::log::Logs;
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::Standing;
use xw_ledger::verdict::{Refusal, Verdict};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, Fact};
use xw_schemas::id::EntryId;
use xw_schemas::space::Audience;

use crate::county::{COUNTY, EAST, TOWN, county, key};
use crate::decisions::{delegated, invitation, joins, registers};
use crate::world::{Bend, Wish, World, put};

/// A village's newcomers write a record; the county pins two of the three entries about it.
struct Scene {
    world: World,
    chain: Chain,
    /// The node's log.
    pen: usize,
    entries: [EntryId; 3],
}

/// What the registrar says in his first edition, and what he says again in its place.
fn editions() -> (Edition, Edition) {
    let east = county().offices[EAST].id;
    let says = |number| registers(TOWN, None, vec![invitation(TOWN, &key(number), east)]);
    (says(60_001), says(60_009))
}

impl Scene {
    fn of(node: &SecretKey, person: &SecretKey) -> Self {
        let mut chain = delegated(&[TOWN]);
        chain.add(editions().0).unwrap();
        chain.add(joins(&key(60_001), &key(60_002), &key(60_003))).unwrap();
        let mut world = World::new();
        let pen = world.open_for(node, county().offices[EAST].space(Audience::Office));
        world.create(pen, "SVC", person, "VCLK");
        let mut at = vec![world.written.len() - 1];
        at.push(edit(&mut world, pen, person));
        let county = world.open_in(COUNTY, EAST);
        let pinned = world.id(at[1]);
        world.witness(county, &[(pen, pinned)]).unwrap();
        at.push(edit(&mut world, pen, person));
        let entries = [0, 1, 2].map(|place| world.id(at[place]));
        Self { world, chain, pen, entries }
    }

    fn logs(&self) -> Logs {
        let mut logs = Logs::new();
        for written in &self.world.written {
            logs.place(self.chain.roster(), &written.entry).unwrap();
        }
        logs
    }

    fn verdicts(&self) -> [Verdict; 3] {
        let (roster, logs) = (self.chain.roster(), self.logs());
        let evidence = self.world.evidence(0, |written| {
            let core = written.entry.core();
            let standing = logs.assess(roster, &core.log)?;
            Some(standing.of(core.sequence, &written.entry.id()))
        });
        let record = self.world.records[0].id;
        let judged = xw_ledger::judge::judge(roster, &county().definitions, record, &evidence);
        self.entries.map(|entry| judged.verdicts[&entry].clone())
    }
}

fn edit(world: &mut World, pen: usize, person: &SecretKey) -> usize {
    let text = format!("第{}句", world.written.len());
    let (edits, bend) = (vec![put("remarks", &text)], Bend::Honest);
    let wish = Wish { pen, record: 0, on: None, edits, step: None, person: Some(person), bend };
    world.change(wish).unwrap()
}

fn may_connect(roster: &Roster, node: &SecretKey) -> bool {
    roster.admitted_peers().contains(&node.public())
}

#[test]
fn what_the_county_pinned_stays_when_a_registrar_contradicts_himself() {
    let (node, person) = (key(60_002), key(60_003));
    let mut scene = Scene::of(&node, &person);
    assert_eq!(scene.verdicts(), [Verdict::Admitted, Verdict::Admitted, Verdict::Admitted]);
    assert_eq!(scene.chain.add(editions().1), Ok(true));
    assert!(!may_connect(scene.chain.roster(), &node));
    let void = Verdict::Refused(Refusal::NotStanding(Standing::Void));
    assert_eq!(scene.verdicts(), [Verdict::Admitted, Verdict::Admitted, void]);
    // The county pins nothing more of it.
    let (witness, log) = (county().offices[COUNTY].node.public(), scene.world.pens[scene.pen].log);
    assert_eq!(scene.logs().to_pin(scene.chain.roster(), &witness, &log), None);
    // A superior names the good edition: everything is as it was.
    let office = county().offices[TOWN].id;
    let closes = Some((1, editions().0.id()));
    let next = Fact::Registrar { office, term: 2, threshold: 1, role: "TADM".into(), closes };
    let head = scene.chain.edition(&scene.chain.roster().head()).unwrap().clone();
    scene.chain.add(county().edition_after(&head, vec![next])).unwrap();
    assert!(may_connect(scene.chain.roster(), &node));
    assert_eq!(scene.verdicts(), [Verdict::Admitted, Verdict::Admitted, Verdict::Admitted]);
}

/// The PC is root's; only the clerk came by the registrar's invitation.
#[test]
fn a_suspended_clerks_signature_counts_where_the_county_has_pinned_it() {
    let (node, person) = (county().offices[EAST].node.clone(), key(60_003));
    let mut scene = Scene::of(&node, &person);
    assert_eq!(scene.verdicts(), [Verdict::Admitted, Verdict::Admitted, Verdict::Admitted]);
    assert_eq!(scene.chain.add(editions().1), Ok(true));
    let strange = Verdict::Refused(Refusal::OtherOffice);
    assert_eq!(scene.verdicts(), [Verdict::Admitted, Verdict::Admitted, strange]);
}
