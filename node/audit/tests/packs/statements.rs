//! What statements of completeness say, in a pack and beside it.

use super::*;

#[test]
fn completeness_is_said_only_where_every_check_was_made() {
    let (world, _) = county();
    let scope = Scope::Division { division: division(VILLAGE) };
    let by = node(COUNTY);
    let mut heard_ms = world.heard();
    heard_ms.insert(node(VILLAGE).public(), world.now_ms - 5_000);
    let mut export = xw_audit::pack::Export {
        holdings: &world.holdings,
        scope,
        give: Give::All,
        by: &by,
        made_ms: world.now_ms,
        heard_ms,
        spread: &one_by_one,
    };
    let mut pack = Vec::new();
    let written = xw_audit::pack::write_pack(&export, &mut pack).unwrap();
    let statement = written.completeness.unwrap();
    assert_eq!(statement.reasons[0].code, "heard-before-the-end");
    assert_eq!(
        (statement.complete, statement.complete_up_to_ms),
        (false, Some(world.now_ms - 5_000))
    );
    let verdict = judged(&world, &pack).completeness.unwrap();
    assert!(verdict.checked && !verdict.complete);
    // Somebody who was never heard leaves nothing to be said.
    export.heard_ms.remove(&node(VILLAGE).public());
    let statement =
        xw_audit::pack::write_pack(&export, &mut Vec::new()).unwrap().completeness.unwrap();
    assert_eq!(statement.complete_up_to_ms, None);
    // A township does not see all that is written under the county, nor another village.
    let by = node(OTHER);
    let export = xw_audit::pack::Export { by: &by, ..export };
    let statement =
        xw_audit::pack::write_pack(&export, &mut Vec::new()).unwrap().completeness.unwrap();
    assert_eq!(statement.reasons[0].code, "not-its-area");
}

#[test]
fn a_statement_that_came_apart_is_held_against_a_pack() {
    let (world, places) = county();
    let scope = Scope::Division { division: division(VILLAGE) };
    let (written, pack) = world.export(scope, Give::Nothing);
    let statement = xw_audit::json::write(&written.completeness.unwrap());
    let network = world.holdings.roster().network();
    let judge = |pack: &[u8], by: usize| {
        let statements = vec![xw_audit::signed::sign(&statement, &node(by))];
        judge_pack(Cursor::new(pack), &Checking { statements, ..checking(network) }).unwrap()
    };
    let report = judge(&pack, COUNTY);
    assert!(report.is_sound() && report.statements[0].agrees > 0, "{}", report.text());
    // Signed by another than the one who answers.
    assert_eq!(codes(&judge(&pack, TOWN)), ["statement-forged"]);
    let (_, one) = world.export(of_records(&places[..1]), Give::Nothing);
    let report = judge(&one, COUNTY);
    assert!(report.is_sound() && report.statements[0].agrees > 0, "{}", report.text());
}

#[test]
fn an_office_that_shows_the_auditor_another_history_is_caught_by_one_honest_source() {
    // Two histories with one beginning: what the auditor is shown, and what the offices above saw.
    let told = |title: &str, salt: u8| {
        let (mut world, _) = county();
        for _ in 0..salt {
            world.act();
        }
        let home = space(VILLAGE);
        let place = world.write(VILLAGE, home, title);
        world.witness(TOWN, home);
        world.witness(COUNTY, home);
        (world, place)
    };
    let (shown, _) = told("给审计看的", 0);
    let (seen, real) = told("乡镇收到的", 1);
    let scope = || Scope::Division { division: division(VILLAGE) };
    let (_, pack) = shown.export(scope(), Give::Nothing);
    let network = shown.holdings.roster().network();
    // A statement by the township, one by the county, and a receipt on paper, such as hangs on a wall.
    let statement = |world: &World, by: usize| {
        let mut statement = world.export(scope(), Give::Nothing).0.completeness.unwrap();
        statement.question.by = node(by).public();
        xw_audit::signed::sign(&xw_audit::json::write(&statement), &node(by))
    };
    let entry = seen.holdings.of(&real).next().unwrap().id();
    let paper = receipt(&seen.holdings, &seen.holdings.assess(), &entry).unwrap().text();
    let sources = |honest: Option<usize>| {
        let of = |source: usize| if honest == Some(source) { &seen } else { &shown };
        let statements = vec![statement(of(0), TOWN), statement(of(1), COUNTY)];
        let receipts = if honest == Some(2) { vec![paper.clone()] } else { Vec::new() };
        Checking { statements, receipts, ..checking(network) }
    };
    let judge = |sources| judge_pack(Cursor::new(&pack), &sources).unwrap();
    let fooled = judge(sources(None));
    assert!(fooled.is_sound(), "where all sources lie nothing is seen: {}", fooled.text());
    for (honest, code) in ["heads-differ", "heads-differ", "receipt-wrong"].iter().enumerate() {
        let report = judge(sources(Some(honest)));
        assert!(!report.is_sound(), "source {honest}: {}", report.text());
        assert!(codes(&report).contains(code), "source {honest}: {:?}", codes(&report));
    }
}
