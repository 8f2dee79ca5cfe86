//! The decoders of what people carry in: files, texts, forms.

use xw_audit::receipt::Receipt;
use xw_audit::signed;
use xw_bootstrap::bundle::Bundle;
use xw_bootstrap::divisions::of_county;
use xw_bootstrap::invitation::{Invitation, Seed, beginning};
use xw_custody::machine::{MachineFile, MachineKeys};
use xw_custody::{Cost, KeyPurpose, OfficeKey, Operators, Passphrase, SealedKey, sealing_key_of};
use xw_ledger::roster::Chain;
use xw_schemas::record::{builtin, from_json};
use xw_schemas::space::Division;
use zeroize::Zeroizing;

use crate::meter::assault;
use crate::{inputs, paper};

/// Inputs of one decoder in CI (threats.md T31).
const INPUTS: u64 = 100_000;

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[test]
fn bundles_of_editions() {
    let chain = Chain::founded(paper::founding()).unwrap();
    let bundle = Bundle::of_chain(&chain, Vec::new()).text().as_bytes().to_vec();
    assault("roster file", inputs(INPUTS), &[bundle], |bytes| Bundle::read(&text(bytes)).is_ok());
}

#[test]
fn invitations() {
    let mut count = 0;
    let mut entropy = |bytes: &mut [u8]| {
        count += 1;
        bytes.fill(count);
    };
    let invitation = Invitation {
        seed: Seed::fresh(&mut entropy),
        network: beginning(paper::network()),
        node: Some(paper::node().public()),
        addresses: vec![([10, 0, 0, 7], 7_900).into()],
    };
    let sample = invitation.text().as_bytes().to_vec();
    assault("invitation", inputs(INPUTS), &[sample], |bytes| {
        Invitation::read(&text(bytes)).is_ok()
    });
}

#[test]
fn lists_of_divisions() {
    let list = "code,level,name,parent\n130599000000,county,清河川县,130500000000\n\
                130599201000,township,白杨镇,130599000000\n\
                130599201201,village,柳河村委会,130599201000\n";
    let county = Division::from_number(130_599_000_000).unwrap();
    assault("divisions", inputs(INPUTS), &[list.as_bytes().to_vec()], |bytes| {
        of_county(&text(bytes), county).is_ok()
    });
}

#[test]
fn key_files() {
    let mut count = 0_u8;
    let mut dice = |bytes: &mut [u8]| {
        for byte in bytes {
            count = count.wrapping_add(1);
            *byte = count;
        }
    };
    let (seed, typed) = (paper::person().seed(), Passphrase::chosen("willow-brook-7").unwrap());
    let sealed =
        SealedKey::seal(KeyPurpose::Person, "李明", &seed, &typed, Cost::FOR_TESTS, &mut dice);
    let office = OfficeKey::from_seed(&Zeroizing::new([9; 32]));
    let public = paper::person().public();
    let list = Operators::founded(&office, public, sealing_key_of(&seed), "李明", &mut dice);
    let machine = MachineKeys { node: paper::node().seed(), database: Zeroizing::new([8; 32]) };
    let samples = [
        sealed.unwrap().text().into_bytes(),
        list.unwrap().text().into_bytes(),
        MachineFile::plain(&machine).text().as_bytes().to_vec(),
    ];
    assault("key file", inputs(INPUTS), &samples, |bytes| {
        let text = text(bytes);
        SealedKey::read(&text).is_ok()
            || Operators::read(&text).is_ok()
            || MachineFile::read(&text).is_ok()
    });
}

#[test]
fn statements_of_auditors() {
    let sample = signed::sign(br#"{"complete":true}"#, &paper::node());
    assault("signed statement", inputs(INPUTS), &[sample], |bytes| {
        let _ = Receipt::parse(&text(bytes));
        signed::open(bytes).is_ok()
    });
}

#[test]
fn contents_of_records() {
    let types = builtin();
    let samples = ["{}", r#"{"title":"高龄津贴","materials":[{"_id":"a","name":"身份证"}]}"#];
    let samples = samples.map(|text| text.as_bytes().to_vec());
    assault("record as JSON", inputs(INPUTS), &samples, |bytes| {
        let Ok(json) = serde_json::from_slice(bytes) else { return false };
        types.iter().for_each(|rt| drop(from_json(rt, &json)));
        true
    });
}
