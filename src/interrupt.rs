//! Ctrl-C and termination signals as a flag that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the user has asked to stop.
pub type Cancel = Arc<AtomicBool>;

/// Catches Ctrl-C and termination. The second one ends the process at once.
pub fn install() -> Cancel {
    let cancel = Cancel::default();
    let seen = Arc::clone(&cancel);
    let installed = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    if let Err(error) = installed {
        // Without a handler Ctrl-C still ends the process, only less tidily.
        eprintln!("axp: warning: cannot catch Ctrl-C: {error}");
    }
    cancel
}

/// Whether the user has asked to stop.
pub fn requested(cancel: &AtomicBool) -> bool {
    cancel.load(Ordering::SeqCst)
}
