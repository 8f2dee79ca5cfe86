//! The definitions hold everything that the domain model names: every field, code, state and step.
//! The tables here were taken from the model, not from the definitions.

use std::collections::BTreeMap;

use xw_schemas::record::{Kind, RecordType, Required, builtin};

/// Fields of the shared header that people fill in; the other six follow from the entries.
const HEADER: &str = "
    business_no official_doc_no title division_code subject_division_code responsible_org
    occurred_at recorded_at time_source recorder source_channel entry_mode paper_original
    paper_location seal_mode attachments legal_basis notice_given consent_ref links
    disclosure_class retention archive_class void_reason remarks";

const PERSON: &str = "
    person_id name id_type id_no sex birth_date education marital phone registered_division
    resident_division address health_status disability_no labour_skill guardian under14
    deceased_on";

const HOUSEHOLD: &str = "
    household_id national_household_no head relation_list village_group division_code
    resident_code grid_code contracted_land housing_grade notes";

const SVC: &str = "
    matter_name matter_code item_basic_code item_impl_code item_type handling_type
    service_mode applicant_kind applicant applicant_org agent agent_relation authorisation
    vulnerable_service materials missing_materials accept_decision accepted_at reject_reason
    legal_days promised_days due_date handling_org external_system external_no handovers
    result result_doc_no refuse_basis delivered_at delivery_mode receiver_sign fee rating
    rating_reason rectify_result home_visit";

const PVM: &str = "
    household clue_source clue_at clue_text is_tuopin undertaking verify_members verify_at
    population labour_count no_labour_household relocated income_wage income_business
    income_property income_transfer expense_business net_income net_income_pc claims_income
    self_paid ref_income_pc income_period food_ok clothes_ok edu_ok medical_ok housing_ok
    water_ok guarantee_note review_meeting review_result notice_start notice_end
    notice_photo objection township_opinion county_opinion category risk_types disaster_kind
    risk_note identified_on monitor_line_used helper watch_contact plan_text measures visits
    members_detail elim_check elim_income_pc elim_mode eliminated_on elim_notice bank_last4";

/// Project and asset card.
const IND: &str = "
    project_name library_no project_class industry_kind nature site content_scale need_basis
    implementing_org project_leader competent_dept decision_ref budget_total funds
    plan_start plan_end approval_no performance beneficiary_households beneficiary_people
    beneficiary_monitored link_modes tender_mode contractor contract_amount actual_start
    progress payments actual_end acceptance settled_amount notices problem_list
    remove_reason asset_no asset_name asset_class asset_kind formed_on original_value
    quantity_unit location owner_kind owner_name title_doc handover_doc handed_over_on
    custodian operation_mode operator contract_from contract_to rent_year pay_schedule
    guarantee income_records distribution household_shares inventory asset_status
    revive_plan disposal life_years";

const MED: &str = "
    file_no committee case_source dispute_type dispute_type_zf event_scale is_difficult
    involved_count amount_involved occurred_place parties agents brief requests
    rights_notice_at refuse_reason mediators invited joint_mode escalation_risk
    risk_measures investigations evidence sessions result agreement_form facts_agreed
    agreement_terms perform_mode perform_due effective_on copies paper_signature_required
    fail_reason referral performance_state performance_proof followups confirm_applied_on
    confirm_result confirm_doc_no closed_on satisfaction subsidy_class";

const MEASURE: &str = "
    measure_class measure_name targets_risk beneficiary provider start_on end_on amount
    evidence household_confirm";

const VISIT: &str = "
    visit_at visitors met_person mode change_found difficulty todo policy_told sign";

/// Code lists with the number of their codes.
const CODES: &str = "
    CL_TIME_SOURCE=4 CL_SOURCE_CHANNEL=16 CL_ENTRY_MODE=5 CL_SEAL_MODE=6 CL_LEGAL_BASIS=6
    CL_NOTICE_MODE=4 CL_DISCLOSURE=5 CL_RETENTION=4 CL_ARCHIVE_CLASS=9 CL_LINK_KIND=8
    CL_ATT_KIND=14 CL_ID_TYPE=5 CL_SEX=4 CL_MARITAL=5 CL_EDUCATION=8 CL_RELATION=12
    CL_HEALTH=4 CL_LABOUR=5 CL_HOUSING_GRADE=5 CL_ROLE=29 CL_RECORD_TYPE=12 CL_RATING5=5
    CL_SVC_APPLICANT=3 CL_AGREE=3 CL_AST_CLASS=3 CL_AST_KIND=3 CL_AST_OPERATE=5
    CL_AST_OWNER=5 CL_AST_STATUS=6 CL_AST_USE=6 CL_IND_CLASS=8 CL_IND_FUND=12
    CL_IND_INDUSTRY=15 CL_IND_LINK=7 CL_IND_NATURE=4 CL_IND_TENDER=6 CL_MED_CONFIRM=3
    CL_MED_FAIL=5 CL_MED_FORM=2 CL_MED_JOINT=7 CL_MED_PERFORM=4 CL_MED_REFER=6
    CL_MED_REFUSE=4 CL_MED_RESULT=4 CL_MED_RISK=3 CL_MED_SCALE=3 CL_MED_SOURCE=8
    CL_MED_SUBSIDY=4 CL_MED_TYPE=18 CL_MED_TYPE_ZF=17 CL_PVM_CATEGORY=4 CL_PVM_CLUE=5
    CL_PVM_DISASTER=7 CL_PVM_ELIM=2 CL_PVM_MEASURE=14 CL_PVM_RISK=11 CL_PVM_VISIT=3
    CL_SVC_ACCEPT=4 CL_SVC_AGENT_REL=5 CL_SVC_DELIVERY=4 CL_SVC_EXTSYS=8 CL_SVC_HANDLING=2
    CL_SVC_ITEM_TYPE=8 CL_SVC_MATTER=32 CL_SVC_MODE=5 CL_SVC_PRIORITY=6 CL_SVC_RESULT=4";

/// Requirements as the model marks them: `*`, `?`, a state, or `c` for a condition.
const REQUIRED: &str = "
    SVC.matter_name:*:0:VTC SVC.matter_code:*:0:VTC SVC.item_basic_code:?:0:VTC
    SVC.item_impl_code:?:0:VTC SVC.item_type:accepted:0:VTC SVC.handling_type:accepted:0:VTC
    SVC.service_mode:*:0:VTC SVC.applicant_kind:*:0:VTC SVC.applicant:c:2:VTS
    SVC.applicant_org:c:1:VT SVC.agent:c:2:VTS SVC.agent_relation:c:2:VT
    SVC.authorisation:c:2:VT SVC.vulnerable_service:?:3:VT SVC.materials:registered:2:VTS
    SVC.missing_materials:correction_needed:1:VTS SVC.accept_decision:accepted:0:VTC
    SVC.accepted_at:accepted:0:VTCS SVC.reject_reason:rejected:1:VTS
    SVC.legal_days:accepted:0:VTCS SVC.promised_days:accepted:0:VTCS
    SVC.due_date:accepted:0:VTCS SVC.handling_org:accepted:0:VTCS
    SVC.external_system:in_agency:0:VT SVC.external_no:?:2:VTS SVC.handovers:in_agency:1:VT
    SVC.result:result_ready:1:VTCS SVC.result_doc_no:?:2:VTS SVC.refuse_basis:c:1:VTS
    SVC.delivered_at:delivered:0:VTS SVC.delivery_mode:delivered:0:VTS
    SVC.receiver_sign:delivered:2:VT SVC.fee:?:1:VTS SVC.rating:evaluated:1:VTC
    SVC.rating_reason:c:2:VT SVC.rectify_result:c:1:VTC SVC.home_visit:?:1:VT
    PVM.household:*:2:VTCS PVM.clue_source:*:1:VTC PVM.clue_at:*:1:VTC PVM.clue_text:*:3:VT
    PVM.is_tuopin:*:2:VTC PVM.undertaking:verified:2:VT PVM.verify_members:verified:1:VTC
    PVM.verify_at:verified:1:VTC PVM.population:verified:2:VTCP
    PVM.labour_count:verified:2:VTC PVM.no_labour_household:verified:3:VTC
    PVM.relocated:?:2:VTC PVM.income_wage:verified:3:VTC PVM.income_business:verified:3:VTC
    PVM.income_property:verified:3:VTC PVM.income_transfer:verified:3:VTC
    PVM.expense_business:verified:3:VTC PVM.net_income:verified:3:VTC
    PVM.net_income_pc:verified:3:VTC PVM.claims_income:?:3:VTC PVM.self_paid:verified:3:VTC
    PVM.ref_income_pc:verified:3:VTC PVM.income_period:verified:1:VTC
    PVM.food_ok:verified:2:VTC PVM.clothes_ok:verified:2:VTC PVM.edu_ok:verified:3:VTC
    PVM.medical_ok:verified:3:VTC PVM.housing_ok:verified:2:VTC PVM.water_ok:verified:2:VTC
    PVM.guarantee_note:c:3:VTC PVM.review_meeting:reviewed:2:VTC
    PVM.review_result:reviewed:2:VTC PVM.notice_start:noticed:0:VTCP
    PVM.notice_end:noticed:0:VTCP PVM.notice_photo:noticed:2:VT PVM.objection:?:2:VT
    PVM.township_opinion:township_passed:1:VTC PVM.county_opinion:identified:1:VTC
    PVM.category:identified:2:VTCP PVM.risk_types:identified:3:VTC PVM.disaster_kind:c:2:VTC
    PVM.risk_note:c:3:VTC PVM.identified_on:identified:2:VTC
    PVM.monitor_line_used:identified:0:VTCP PVM.helper:helping:1:VTCSP
    PVM.watch_contact:helping:1:VTCS PVM.plan_text:helping:2:VTCS
    PVM.measures:helping:2:VTCS PVM.visits:?:3:VT PVM.members_detail:verified:3:VTC
    PVM.elim_check:elim_review:3:VTC PVM.elim_income_pc:elim_review:3:VTC
    PVM.elim_mode:eliminated:2:VTC PVM.eliminated_on:eliminated:2:VTC
    PVM.elim_notice:eliminated:2:VTC PVM.bank_last4:?:3:VT IND.project_name:*:0:VTCP
    IND.library_no:in_library:0:VTCP IND.project_class:*:0:VTCP IND.industry_kind:c:0:VTCP
    IND.nature:*:0:VTCP IND.site:*:0:VTCP IND.content_scale:*:0:VTCP IND.need_basis:*:0:VTC
    IND.implementing_org:village_reviewed:0:VTCP IND.project_leader:village_reviewed:1:VTCP
    IND.competent_dept:county_argued:0:VTCP IND.decision_ref:village_reviewed:0:VTC
    IND.budget_total:village_reviewed:0:VTCP IND.funds:planned:0:VTCP
    IND.plan_start:planned:0:VTCP IND.plan_end:planned:0:VTCP IND.approval_no:planned:0:VTCP
    IND.performance:planned:0:VTCP IND.beneficiary_households:planned:0:VTCP
    IND.beneficiary_people:planned:0:VTCP IND.beneficiary_monitored:planned:0:VTCP
    IND.link_modes:planned:0:VTCP IND.tender_mode:implementing:0:VTCP
    IND.contractor:implementing:1:VTCP IND.contract_amount:implementing:0:VTCP
    IND.actual_start:implementing:0:VTCP IND.progress:implementing:0:VTC
    IND.payments:implementing:1:VTC IND.actual_end:completed:0:VTCP
    IND.acceptance:accepted:1:VTC IND.settled_amount:settled:0:VTCP
    IND.notices:village_reviewed:0:VTCP IND.problem_list:?:1:VTC
    IND.remove_reason:removed:0:VTC IND.asset_no:capitalised:0:VTCP
    IND.asset_name:capitalised:0:VTCP IND.asset_class:capitalised:0:VTCP
    IND.asset_kind:capitalised:0:VTCP IND.formed_on:capitalised:0:VTCP
    IND.original_value:capitalised:0:VTCP IND.quantity_unit:capitalised:0:VTCP
    IND.location:capitalised:0:VTCP IND.owner_kind:ownership_confirmed:0:VTCP
    IND.owner_name:ownership_confirmed:2:VTC IND.title_doc:ownership_confirmed:0:VTC
    IND.handover_doc:handed_over:1:VTC IND.handed_over_on:handed_over:0:VTCP
    IND.custodian:handed_over:1:VTCP IND.operation_mode:operating:0:VTCP
    IND.operator:c:1:VTCP IND.contract_from:c:0:VTCP IND.contract_to:c:0:VTCP
    IND.rent_year:c:0:VTCP IND.pay_schedule:c:0:VTCP IND.guarantee:?:0:VTC
    IND.income_records:operating:0:VTCP IND.distribution:operating:1:VTCP
    IND.household_shares:?:3:VT IND.inventory:operating:0:VTC
    IND.asset_status:capitalised:0:VTCP IND.revive_plan:c:0:VTC IND.disposal:disposed:0:VTCP
    IND.life_years:?:0:VTC MED.file_no:accepted:0:VT MED.committee:*:0:VT
    MED.case_source:*:1:VTC MED.dispute_type:accepted:1:VTC MED.dispute_type_zf:?:1:TC
    MED.event_scale:accepted:1:VTC MED.is_difficult:?:1:VTC
    MED.involved_count:accepted:1:VTC MED.amount_involved:?:2:VT
    MED.occurred_place:accepted:2:VT MED.parties:accepted:3:VTS MED.agents:?:2:VTS
    MED.brief:accepted:3:VTS MED.requests:accepted:2:VTS MED.rights_notice_at:accepted:1:VTS
    MED.refuse_reason:refused:1:VTS MED.mediators:mediating:1:VTS MED.invited:?:2:VT
    MED.joint_mode:?:1:VTC MED.escalation_risk:accepted:2:VTC MED.risk_measures:c:2:VT
    MED.investigations:?:3:VT MED.evidence:?:3:VT MED.sessions:mediating:3:VT
    MED.result:c:1:VTC MED.agreement_form:agreed:1:VTCS MED.facts_agreed:c:3:VTS
    MED.agreement_terms:agreed:3:VTS MED.perform_mode:agreed:2:VTS
    MED.perform_due:agreed:2:VTS MED.effective_on:effective:2:VTS MED.copies:c:0:VT
    MED.paper_signature_required:agreed:0:VT MED.fail_reason:failed:1:VTC
    MED.referral:c:1:VTCS MED.performance_state:performed:1:VTC MED.performance_proof:?:3:VT
    MED.followups:followed_up:2:VT MED.confirm_applied_on:?:2:VTS MED.confirm_result:?:2:VTC
    MED.confirm_doc_no:c:2:VT MED.closed_on:closed:0:VTC MED.satisfaction:?:1:VTC
    MED.subsidy_class:?:1:VT";

/// States in the order of the work.
const STATES: &str = "
    SVC registered correction_needed accepted rejected in_agency processing result_ready delivered evaluated withdrawn
    PVM clue verified not_needed reviewed noticed township_passed identified helping elim_review eliminated tracking
    IND proposed village_reviewed township_reviewed county_argued in_library planned implementing completed accepted settled capitalised ownership_confirmed handed_over operating disposed removed
    MED reported accepted refused mediating agreed effective performed followed_up failed withdrawn closed";

/// Steps with the roles that may take them.
const STEPS: &str = "
    SVC - registered VAGT VCLK TWIN
    SVC registered correction_needed VAGT TWIN
    SVC correction_needed registered SUBJ VAGT
    SVC registered accepted TWIN VAGT
    SVC registered rejected TWIN
    SVC accepted in_agency VAGT TWIN
    SVC in_agency processing TWIN CDEP
    SVC accepted processing TWIN TSOC
    SVC accepted result_ready TWIN VAGT
    SVC processing result_ready TWIN CDEP
    SVC result_ready delivered TWIN VAGT
    SVC delivered evaluated SUBJ
    SVC registered withdrawn SUBJ
    SVC accepted withdrawn SUBJ
    PVM - clue VGRD VSEC VCLK TRUR SUBJ
    PVM clue verified VSEC VTEAM TRUR
    PVM clue not_needed VSEC TRUR
    PVM verified reviewed VSEC
    PVM reviewed noticed VCLK
    PVM noticed township_passed TRUR TVICE
    PVM township_passed identified CDEP CLEAD
    PVM township_passed verified CDEP
    PVM identified helping TRUR
    PVM helping elim_review VSEC TRUR
    PVM elim_review eliminated CDEP
    PVM elim_review helping TRUR CDEP
    PVM eliminated tracking VGRD
    PVM tracking helping CDEP
    IND - proposed VSEC VCLK
    IND proposed village_reviewed VSEC VSUP
    IND village_reviewed township_reviewed TRUR TVICE
    IND township_reviewed county_argued CDEP
    IND county_argued in_library CLEAD
    IND in_library planned CLEAD
    IND planned implementing VSEC TRUR
    IND implementing completed VSEC
    IND completed accepted CDEP TRUR VSUP
    IND completed implementing CDEP
    IND accepted settled TFIN CDEP
    IND settled capitalised TRUR TFIN
    IND capitalised ownership_confirmed CDEP TVICE
    IND ownership_confirmed handed_over TRUR VSEC VSUP
    IND handed_over operating VSEC
    IND operating disposed VSEC CDEP
    IND in_library removed CDEP
    IND planned removed CLEAD
    MED - reported VMED TMED VGRD
    MED reported accepted VMED TMED
    MED reported refused VMED TMED
    MED accepted mediating VMED TMED
    MED mediating agreed VMED TMED
    MED mediating failed VMED TMED
    MED mediating withdrawn SUBJ
    MED agreed effective SUBJ VMED TMED
    MED effective performed VMED TMED
    MED performed followed_up VMED TMED
    MED followed_up closed VMED TMED
    MED failed closed VMED TMED
    MED withdrawn closed VMED TMED
    MED effective mediating VMED TMED";

#[test]
fn four_types_have_the_numbers_of_the_model() {
    // Own fields of the model, states of the model, steps of the model.
    let expected =
        [("SVC", 37, 10, 14), ("PVM", 56, 11, 14), ("IND", 63, 16, 18), ("MED", 44, 11, 14)];
    let types = builtin();
    assert_eq!(types.len(), expected.len());
    assert_eq!(HEADER.split_whitespace().count(), 25);
    for (code, fields, states, steps) in expected {
        let rt = find(&types, code);
        assert_eq!(words_of(code).split_whitespace().count(), fields, "{code}");
        // Archived and void are added to every type.
        assert_eq!(rt.states.len(), states + 2, "{code}");
        let of_the_work = |to: &str| to != "archived" && to != "void";
        assert_eq!(rt.transitions.iter().filter(|t| of_the_work(&t.to)).count(), steps, "{code}");
    }
}

#[test]
fn no_field_of_the_model_is_lost() {
    for rt in builtin() {
        let own = words_of(&rt.code);
        for name in HEADER.split_whitespace().chain(own.split_whitespace()) {
            assert!(rt.field(name).is_some(), "{} {name}", rt.code);
        }
        let extra: Vec<&str> = rt
            .fields
            .iter()
            .map(|f| f.name.as_str())
            .filter(|name| {
                !HEADER.split_whitespace().chain(own.split_whitespace()).any(|n| n == *name)
            })
            .filter(|name| !name.ends_with("_other"))
            .collect();
        // Named in the prose of the model, not in its tables.
        let in_prose: &[&str] = match rt.code.as_str() {
            "SVC" => &["requesting_authority", "legal_ground", "trips"],
            "MED" => &["restricted"],
            _ => &[],
        };
        assert_eq!(extra, in_prose, "{}", rt.code);
    }
}

#[test]
fn people_households_measures_and_visits_have_all_their_members() {
    let types = builtin();
    let pvm = find(&types, "PVM");
    for (name, members) in
        [("Person", PERSON), ("Household", HOUSEHOLD), ("Measure", MEASURE), ("Visit", VISIT)]
    {
        let has: Vec<&str> = pvm.structs[name]
            .fields
            .iter()
            .map(|f| f.name.as_str())
            .filter(|name| !name.ends_with("_other"))
            .collect();
        assert_eq!(has, members.split_whitespace().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn requirements_classes_and_readers_are_those_of_the_model() {
    let types = builtin();
    for line in REQUIRED.split_whitespace() {
        let (code, rest) = line.split_once('.').unwrap();
        let [name, required, pi, vis] = rest.split(':').collect::<Vec<_>>()[..] else { panic!() };
        let field = find(&types, code).field(name).unwrap();
        let says = match &field.required {
            Required::Always => "*",
            Required::Never => "?",
            Required::From(state) => state,
            Required::When(_) => "c",
        };
        assert_eq!(
            (says, field.pi.to_string().as_str(), field.vis.as_str()),
            (required, pi, vis),
            "{line}"
        );
    }
}

#[test]
fn every_code_of_the_lists_in_use_is_there() {
    let mut lists: BTreeMap<String, usize> = BTreeMap::new();
    for rt in builtin() {
        lists.extend(rt.lists.values().map(|list| (list.name.clone(), list.codes.len())));
    }
    for line in CODES.split_whitespace() {
        let (name, count) = line.split_once('=').unwrap();
        assert_eq!(lists.get(name), count.parse().ok().as_ref(), "{name}");
    }
}

#[test]
fn states_and_steps_are_those_of_the_model() {
    let types = builtin();
    for line in STATES.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let rt = find(&types, words.next().unwrap());
        let states: Vec<&str> = rt.states.iter().map(|s| s.code.as_str()).collect();
        assert_eq!(states, words.chain(["archived", "void"]).collect::<Vec<_>>(), "{}", rt.code);
    }
    for line in STEPS.lines().filter(|line| !line.trim().is_empty()) {
        let [code, from, to, who @ ..] = &line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!()
        };
        let step = find(&types, code).transition(from, to).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(step.who, *who, "{line}");
    }
}

#[test]
fn only_the_office_that_made_a_record_voids_it_and_says_why() {
    for rt in builtin() {
        for state in rt.states.iter().filter(|state| !state.terminal) {
            let step = rt.transition(&state.code, "void").expect("work can be voided");
            assert!(step.needs_reason, "{} {}", rt.code, state.code);
            assert!(step.who.iter().all(|role| rt.edit_roles.contains(role)), "{}", rt.code);
        }
        for state in rt
            .states
            .iter()
            .filter(|s| s.terminal && !["archived", "void"].contains(&s.code.as_str()))
        {
            assert!(rt.transition(&state.code, "archived").is_some(), "{} {}", rt.code, state.code);
            assert!(rt.transition(&state.code, "void").is_none(), "{} {}", rt.code, state.code);
        }
    }
}

#[test]
fn an_open_other_brings_its_own_text_and_a_named_one_does_not() {
    let types = builtin();
    let has = |code: &str, path: &str| find(&types, code).field(path).is_some();
    assert!(has("SVC", "matter_code_other"));
    assert!(has("SVC", "source_channel_other"));
    assert!(has("SVC", "applicant.id_type_other"));
    assert!(has("MED", "dispute_type_other"));
    assert!(has("PVM", "disaster_kind_other"));
    assert!(has("PVM", "measures.targets_risk_other"));
    // The model gives risk 99 a note of its own, and 其他行政权力 says what it is.
    assert!(!has("PVM", "risk_types_other"));
    assert!(!has("SVC", "item_type_other"));
    assert!(!has("PVM", "measures.measure_class_other"));
}

#[test]
fn the_ledgers_of_the_model_are_there_and_every_column_leads_somewhere() {
    let mut keys = Vec::new();
    for rt in builtin() {
        for ledger in &rt.ledgers {
            keys.push(ledger.key.clone());
            assert_eq!(ledger.columns.first().unwrap().zh, "序号");
            assert_eq!(ledger.columns.last().unwrap().zh, "备注");
            for path in ledger.columns.iter().filter_map(|column| column.path.as_ref()) {
                let found = ledger.resolve(&rt, path).unwrap_or_else(|| panic!("{path}"));
                assert!(!matches!(found.field.kind, Kind::Struct { .. }), "{path}");
            }
        }
    }
    let expected = [
        "svc-register",
        "pvm-objects",
        "pvm-visits",
        "ind-projects",
        "ind-assets",
        "med-register",
        "med-zf-export",
    ];
    assert_eq!(keys, expected);
}

fn find<'a>(types: &'a [RecordType], code: &str) -> &'a RecordType {
    types.iter().find(|rt| rt.code == code).expect("a built-in type")
}

fn words_of(code: &str) -> &'static str {
    match code {
        "SVC" => SVC,
        "PVM" => PVM,
        "IND" => IND,
        "MED" => MED,
        _ => panic!("no such type"),
    }
}
