//! What this process has proven already: the same texts are proven once.

use super::EquivalenceError;
use super::obligation::Obligation;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bits that were proven, if they were. Locked while the proof runs.
type Entry = Arc<Mutex<Option<usize>>>;

/// By the texts themselves, not by a hash of them. Only what is proven stays: what is not is tried again.
static PROVEN: Mutex<BTreeMap<Obligation, Entry>> = Mutex::new(BTreeMap::new());

/// The result of `prove`, unless the same texts were proven before. Waits where
/// another thread is at it.
pub(super) fn once(
    obligation: &Obligation,
    prove: impl FnOnce() -> Result<usize, EquivalenceError>,
) -> Result<usize, EquivalenceError> {
    let entry = Arc::clone(lock(&PROVEN).entry(obligation.clone()).or_default());
    let mut proven = lock(&entry);
    if let Some(bits) = *proven {
        return Ok(bits);
    }
    let bits = prove()?;
    *proven = Some(bits);
    Ok(bits)
}

/// A proof that panicked has left its entry empty, so what is in there is true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_texts_are_not_proven_again() {
        let texts = |gate: &str| Obligation {
            module: "once".to_owned(),
            gold: String::new(),
            gate: gate.to_owned(),
            children: Vec::new(),
            boxes: String::new(),
        };
        let failure = || EquivalenceError::NotProven { module: "once".to_owned(), log: String::new() };
        assert!(once(&texts("a"), || Err(failure())).is_err());
        assert_eq!(once(&texts("a"), || Ok(3)).unwrap(), 3);
        assert_eq!(once(&texts("a"), || Err(failure())).unwrap(), 3);
        assert!(once(&texts("b"), || Err(failure())).is_err());
    }
}
