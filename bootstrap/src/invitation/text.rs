//! The text of an invitation: Crockford's base32 in groups, with a check. Forgives case, spaces and
//! letters that look alike; names the group where one letter went wrong. Corrects nothing by itself.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use xw_schemas::cose::is_sound_key;
use xw_schemas::hash::tagged;
use xw_schemas::id::PublicKey;
use zeroize::Zeroizing;

use super::{Invitation, NETWORK_BYTES, SEED_BYTES, Seed};

/// Characters of one group: what one reads out in a breath.
pub const GROUP_CHARACTERS: usize = 6;

/// Longest text that is read as an invitation: six addresses and generous spacing.
pub const TEXT_BYTES_MAX: usize = 2_048;

/// Most addresses of a kind: the header counts them in two bits.
const ADDRESSES_MAX: usize = 3;

/// The version, in the header's upper three bits.
const VERSION: u8 = 1;

/// Says in the header that a node is named.
const NODE_BIT: u8 = 0x10;

/// Characters of the check: 20 bits, so one in a million of slips passes.
const CHECK_CHARACTERS: usize = 4;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What is wrong with a typed invitation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationSlip {
    /// A character that no invitation has.
    #[error("{character:?} in group {group} stands in no invitation")]
    Character {
        /// The character.
        character: char,
        /// The group, from 1.
        group: usize,
    },
    /// Too few or too many characters.
    #[error("{characters} characters: this is no whole invitation")]
    Length {
        /// How many there are.
        characters: usize,
    },
    /// The check does not fit; where one character can explain it, its group.
    #[error("the check of the invitation does not fit{}", near(*group))]
    Check {
        /// The group to look at again, from 1.
        group: Option<usize>,
    },
    /// A newer program wrote it.
    #[error("the invitation is of an unknown version")]
    Version,
    /// The check fits, but what it says is not sound.
    #[error("the invitation names a key that cannot be")]
    Key,
}

fn near(group: Option<usize>) -> String {
    group.map_or_else(String::new, |group| format!("; look at group {group} again"))
}

impl InvitationSlip {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Character { character, group } => {
                format!("第 {group} 组中的“{character}”不是邀请码用的字符")
            }
            Self::Length { characters } => {
                format!("邀请码不完整或有多余字符：现有 {characters} 个字符")
            }
            Self::Check { group: Some(group) } => {
                format!("邀请码校验不符，请重新核对第 {group} 组")
            }
            Self::Check { group: None } => "邀请码校验不符，请从头核对一遍".to_owned(),
            Self::Version => "邀请码由更新版本的程序生成，请先升级本程序".to_owned(),
            Self::Key => "邀请码中的密钥无效，请让登记员重新生成".to_owned(),
        }
    }
}

impl Invitation {
    /// The text, in groups with hyphens between. Addresses beyond three of a kind are left out.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let symbols = self.symbols();
        let mut text = Zeroizing::new(String::with_capacity(2 * symbols.len()));
        for (at, symbol) in symbols.iter().enumerate() {
            if at > 0 && at % GROUP_CHARACTERS == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(*symbol)]));
        }
        text
    }

    fn symbols(&self) -> Zeroizing<Vec<u8>> {
        let payload = self.payload();
        let mut symbols = spread(&payload);
        symbols.extend(check(&payload));
        symbols
    }

    fn payload(&self) -> Zeroizing<Vec<u8>> {
        let v4 = |address: &&SocketAddr| address.is_ipv4();
        let fours: Vec<_> = self.addresses.iter().filter(v4).take(ADDRESSES_MAX).collect();
        let sixes: Vec<_> = self.addresses.iter().filter(|a| !v4(a)).take(ADDRESSES_MAX).collect();
        let count = |list: &[_]| u8::try_from(list.len()).unwrap_or(0);
        let node = if self.node.is_some() { NODE_BIT } else { 0 };
        // Room at once, so that the secret never moves and leaves a copy behind.
        let mut payload = Zeroizing::new(Vec::with_capacity(160));
        payload.push(VERSION << 5 | node | count(&fours) << 2 | count(&sixes));
        payload.extend(&self.seed.0[..]);
        payload.extend(self.network);
        payload.extend(self.node.iter().flat_map(|key| key.0));
        for address in fours.into_iter().chain(sixes) {
            match address.ip() {
                std::net::IpAddr::V4(ip) => payload.extend(ip.octets()),
                std::net::IpAddr::V6(ip) => payload.extend(ip.octets()),
            }
            payload.extend(address.port().to_be_bytes());
        }
        payload
    }

    /// Reads a text as somebody typed, pasted or scanned it.
    pub fn read(text: &str) -> Result<Self, InvitationSlip> {
        let symbols = symbols_of(text)?;
        let characters = symbols.len();
        let wrong_length = InvitationSlip::Length { characters };
        let body = characters.checked_sub(CHECK_CHARACTERS).ok_or(wrong_length.clone())?;
        let payload = gathered(&symbols[..body]);
        let fits = payload.as_ref().is_some_and(|bytes| check(bytes)[..] == symbols[body..]);
        let Some(payload) = payload.filter(|_| fits) else {
            let known = symbols.first().is_some_and(|first| lengths(*first).contains(&characters));
            return Err(if known {
                InvitationSlip::Check { group: suspect(&symbols) }
            } else {
                wrong_length
            });
        };
        let version = payload[0] >> 5;
        let slip = if version == VERSION { InvitationSlip::Key } else { InvitationSlip::Version };
        Self::of_payload(&payload).ok_or(slip)
    }

    fn of_payload(payload: &[u8]) -> Option<Self> {
        let mut rest = payload;
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at_checked(count)?;
            rest = left;
            Some(taken)
        };
        let [header] = *take(1)? else { return None };
        if header >> 5 != VERSION {
            return None;
        }
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        seed.copy_from_slice(take(SEED_BYTES)?);
        let network: [u8; NETWORK_BYTES] = take(NETWORK_BYTES)?.try_into().ok()?;
        let node = match header & NODE_BIT {
            0 => None,
            _ => Some(PublicKey(take(32)?.try_into().ok()?)).filter(is_sound_key),
        };
        if node.is_none() && header & NODE_BIT != 0 {
            return None;
        }
        let mut addresses = Vec::new();
        for _ in 0..(header >> 2 & 3) {
            let ip: [u8; 4] = take(4)?.try_into().ok()?;
            let port = u16::from_be_bytes(take(2)?.try_into().ok()?);
            addresses.push(SocketAddr::from((Ipv4Addr::from(ip), port)));
        }
        for _ in 0..(header & 3) {
            let ip: [u8; 16] = take(16)?.try_into().ok()?;
            let port = u16::from_be_bytes(take(2)?.try_into().ok()?);
            addresses.push(SocketAddr::from((Ipv6Addr::from(ip), port)));
        }
        rest.is_empty().then_some(Self { seed: Seed(seed), network, node, addresses })
    }
}

/// How long a text can be whose first character is this one; it holds the version, whether a node
/// is named and the upper bit of the IPv4 count.
fn lengths(first: u8) -> Vec<usize> {
    let header = first << 3;
    let node = if header & NODE_BIT == 0 { 0 } else { 32 };
    let fours = usize::from(header >> 2 & 2);
    let mut lengths = Vec::new();
    for v4 in fours..=fours + 1 {
        for v6 in 0..=ADDRESSES_MAX {
            let bytes = 1 + SEED_BYTES + NETWORK_BYTES + node + 6 * v4 + 18 * v6;
            lengths.push((bytes * 8).div_ceil(5) + CHECK_CHARACTERS);
        }
    }
    lengths
}

/// The letters of a text as numbers below 32. Hyphens, spaces and punctuation of any width count
/// for nothing; O is read as 0, I and L as 1, full-width letters as narrow ones.
fn symbols_of(text: &str) -> Result<Zeroizing<Vec<u8>>, InvitationSlip> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(256));
    for character in text.chars().take(TEXT_BYTES_MAX) {
        let narrow = match character {
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
            }
            other => other,
        };
        let upper = match narrow.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if let Some(at) = ALPHABET.iter().position(|letter| char::from(*letter) == upper) {
            symbols.push(u8::try_from(at).unwrap_or(0));
        } else if upper.is_alphanumeric() {
            let group = symbols.len() / GROUP_CHARACTERS + 1;
            return Err(InvitationSlip::Character { character, group });
        }
    }
    Ok(symbols)
}

/// Bytes as groups of five bits; the last is filled with zeros.
fn spread(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(256));
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            symbols.push((held >> bits & 31) as u8);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        symbols.push((held << (5 - bits) & 31) as u8);
    }
    symbols
}

/// The bytes of groups of five bits; nothing where the filling is not zero or a whole group too long.
fn gathered(symbols: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    let (mut held, mut bits) = (0_u32, 0);
    for symbol in symbols {
        held = held << 5 | u32::from(*symbol);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 255) as u8);
        }
        held &= (1 << bits) - 1;
    }
    (bits < 5 && held == 0 && !bytes.is_empty()).then_some(bytes)
}

fn check(payload: &[u8]) -> [u8; CHECK_CHARACTERS] {
    let hash = tagged("xw/invitation/check/1", &[payload]);
    let number = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]) >> 4;
    [15, 10, 5, 0].map(|bits| (number >> bits & 31) as u8)
}

/// The group in which one wrong character, or two changed about, explains that the check does not
/// fit; nothing when no single place does.
fn suspect(symbols: &[u8]) -> Option<usize> {
    let fits = |candidate: &[u8]| {
        let (body, given) = candidate.split_at(candidate.len() - CHECK_CHARACTERS);
        gathered(body).is_some_and(|payload| check(&payload)[..] == *given)
    };
    let mut groups = Vec::new();
    let mut candidate = Zeroizing::new(symbols.to_vec());
    for at in 0..symbols.len() {
        for other in (0..32).filter(|other| *other != symbols[at]) {
            candidate[at] = other;
            if fits(&candidate) {
                groups.push(at / GROUP_CHARACTERS + 1);
            }
        }
        candidate[at] = symbols[at];
        if at + 1 < symbols.len() {
            candidate.swap(at, at + 1);
            if fits(&candidate) {
                groups.push(at / GROUP_CHARACTERS + 1);
            }
            candidate.swap(at, at + 1);
        }
    }
    groups.dedup();
    match groups.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xw_schemas::cose::SecretKey;

    /// The example of the specification.
    const EXAMPLE: &str = "6GKK8G-AEBDM7-B0MFKJ-MVDGYG-VQN0E0-820C20-A1G710-4PWYGW-VMMV1D-WFT4XF-9HASHZ-QZ9VSA-JWB6WF-56YBJF-QZ6DG1-85QW8A-100046-YTHBTQ";

    fn invitation(addresses: &[&str]) -> Invitation {
        Invitation {
            seed: Seed::fresh(&mut |bytes| {
                for (at, byte) in bytes.iter_mut().enumerate() {
                    *byte = 13 * (at as u8 + 3);
                }
            }),
            network: [7, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            node: Some(SecretKey::from_seed(&[5; 32]).public()),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn an_invitation_survives_its_text_and_a_usual_one_has_108_characters() {
        for addresses in [
            &["10.8.0.2:7130"][..],
            &[],
            &["[fd00::2]:7130", "10.8.0.2:1"],
            &["1.2.3.4:5", "1.2.3.4:6", "1.2.3.4:7", "[::1]:8", "[::2]:8", "[::3]:8"],
        ] {
            let mut given = invitation(addresses);
            let read = Invitation::read(&given.text()).unwrap();
            given.addresses.sort_by_key(|address| !address.is_ipv4());
            assert_eq!(read, given);
        }
        let text = invitation(&["10.8.0.2:7130"]).text();
        assert_eq!(text.chars().filter(|c| *c != '-').count(), 108);
        let mut by_hand = invitation(&[]);
        by_hand.node = None;
        assert_eq!(Invitation::read(&by_hand.text()).unwrap(), by_hand);
    }

    #[test]
    fn an_invitation_is_these_characters_for_ever() {
        let text = invitation(&["10.8.0.2:7130"]).text();
        assert_eq!(*text, EXAMPLE);
        assert!(include_str!("../../../schemas/spec/invitation.md").contains(EXAMPLE));
    }

    #[test]
    fn case_spaces_and_letters_that_look_alike_are_forgiven() {
        let given = invitation(&["10.8.0.2:7130"]);
        let text = given.text();
        let typed = text.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
        assert_eq!(Invitation::read(&format!("\u{feff}  {typed}\r\n")).unwrap(), given);
        let wide: String =
            text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        assert_eq!(Invitation::read(&wide).unwrap(), given);
    }

    #[test]
    fn one_wrong_character_is_never_taken_and_its_group_is_named() {
        let given = invitation(&["10.8.0.2:7130"]);
        let text: Vec<char> = given.text().chars().filter(|c| *c != '-').collect();
        let mut named = 0;
        for at in 0..text.len() {
            let mut typed = text.clone();
            typed[at] = if typed[at] == 'Z' { 'Y' } else { 'Z' };
            let slip = Invitation::read(&typed.iter().collect::<String>()).unwrap_err();
            match slip {
                InvitationSlip::Check { group: Some(group) } => {
                    assert_eq!(group, at / GROUP_CHARACTERS + 1);
                    named += 1;
                }
                // The first says how long the text is.
                InvitationSlip::Check { group: None } | InvitationSlip::Length { .. } => {}
                other => panic!("{at}: {other:?}"),
            }
        }
        assert!(named > 100, "{named} of {}", text.len());
    }

    #[test]
    fn what_is_no_invitation_is_told_why() {
        let text = invitation(&["10.8.0.2:7130"]).text();
        let short = &text[..text.len() - 3];
        assert!(matches!(Invitation::read(short), Err(InvitationSlip::Length { .. })));
        assert!(matches!(Invitation::read(""), Err(InvitationSlip::Length { characters: 0 })));
        let typed = text.replacen('-', "邀", 1);
        let slip = InvitationSlip::Character { character: '邀', group: 2 };
        assert_eq!(Invitation::read(&typed), Err(slip));
    }

    #[test]
    fn the_secret_is_never_printed() {
        let given = invitation(&[]);
        let printed = format!("{given:?}");
        let secret = xw_schemas::id::hex(&given.seed.0[..]);
        assert!(!printed.contains(&secret) && !printed.contains(&given.text()[..12]));
    }
}
