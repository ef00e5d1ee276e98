//! Bit patterns in artifacts: binary32 as eight hex digits, integers in base64.
//!
//! JSON numbers cannot carry NaN payloads, signed zeros or 64-bit keys through
//! every reader, so every encoding is written as text.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Width in bits of an index below `count`, at least 1.
pub(crate) const fn index_bits(count: u32) -> u32 {
    let bits = u32::BITS - count.saturating_sub(1).leading_zeros();
    if bits == 0 { 1 } else { bits }
}

/// A binary32 encoding; in JSON a string of eight lower-case hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bits32(pub u32);

impl Bits32 {
    /// The value that the encoding stands for.
    pub fn value(self) -> f32 {
        f32::from_bits(self.0)
    }
}

impl From<f32> for Bits32 {
    fn from(value: f32) -> Self {
        Self(value.to_bits())
    }
}

impl Serialize for Bits32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:08x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Bits32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text, 8).map(|bits| Self(bits as u32)).map_err(D::Error::custom)
    }
}

/// 64-bit patterns as sixteen hex digits, for `#[serde(with = "hex64")]`.
pub mod hex64 {
    use super::*;

    /// Writes the pattern as sixteen lower-case hex digits.
    pub fn serialize<S: Serializer>(bits: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{bits:016x}"))
    }

    /// Reads exactly sixteen hex digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text, 16).map_err(D::Error::custom)
    }
}

/// Integer lists as base64 of little-endian `u32`, for `#[serde(with = "packed")]`.
pub mod packed {
    use super::*;

    /// Writes the list as base64 text.
    pub fn serialize<S: Serializer>(list: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = list.iter().flat_map(|x| x.to_le_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Reads base64 text whose length is a multiple of four bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        let (words, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(D::Error::custom("a packed list must hold whole 32-bit words"));
        }
        Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }
}

fn parse_hex(text: &str, digits: usize) -> Result<u64, String> {
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("expected exactly {digits} hex digits, found {text:?}"));
    }
    u64::from_str_radix(text, 16).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Sample {
        value: Bits32,
        #[serde(with = "hex64")]
        key: u64,
        #[serde(with = "packed")]
        list: Vec<u32>,
    }

    proptest! {
        #[test]
        fn every_pattern_survives_json(value: u32, key: u64, list: Vec<u32>) {
            let before = Sample { value: Bits32(value), key, list };
            let text = serde_json::to_string(&before).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), before);
        }
    }

    #[test]
    fn bad_text_is_refused() {
        for bad in ["\"\"", "\"+1234567\"", "\"123456789\"", "\"1234567g\"", "12345678"] {
            assert!(serde_json::from_str::<Bits32>(bad).is_err(), "{bad}");
        }
    }
}
